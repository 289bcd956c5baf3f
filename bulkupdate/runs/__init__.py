"""One run: load, check, select, send, journal, resume, read back, undo, report.

The same functions serve the command line, the page and the nightly folder. Nothing here prints or exits.
"""
