"""The upload page: a door over `runs/` for people without a terminal."""
