"""The command line: builds the run context, talks to the user, chooses the exit code.

Modules import only `click` and the ground modules at the top: pandas and the like take a second to load, which
`--help` and `runs` need not pay. Each command imports what it works with.
"""
