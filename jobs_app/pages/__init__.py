"""What the admin pages of jobs, history and engines show: reads and forms, no writes."""
