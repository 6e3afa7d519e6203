"""One Dockerfile with three images, and the folder they are built from."""
