"""Check, send and file every sheet of a nightly folder, for a scheduler."""
