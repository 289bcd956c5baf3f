"""Load a file: how it is read, by which recipe, with which corrections, and what identifies it."""
