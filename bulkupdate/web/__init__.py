"""The upload page: a thin entry point over `runs/` for users without a terminal."""
