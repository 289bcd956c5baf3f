"""Check and send every sheet of a nightly folder, for a scheduler, and report on them."""
