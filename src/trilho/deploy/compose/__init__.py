"""A team's server on one machine by Docker Compose: files to read, change and start."""
