"""Send a run: select rows, read previous values, send, and read back."""
