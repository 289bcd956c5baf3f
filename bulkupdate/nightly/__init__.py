"""Check and send every sheet of a nightly folder, and report on them."""
