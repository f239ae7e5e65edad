"""What the admin pages of runspaces and pools show."""
