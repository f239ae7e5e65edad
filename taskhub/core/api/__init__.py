"""What the REST endpoints of all apps share: callers, rights, bodies, pages, refusals, documents."""
