"""One module for each command; `command` is what click calls."""
