"""What the admin pages of tasks and of their due times show."""
