"""Random sheets, for as long as one likes: `python -m tests.fuzz --minutes 20`."""
