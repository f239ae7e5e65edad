"""What the admin pages of all apps share: their lists, their rights, their POSTs, their paging."""
