"""What the commands `job` and `task` share."""
