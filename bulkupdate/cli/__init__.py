"""The command line: constructs the parts, speaks to people, chooses the exit code.

Only `click` and the ground are imported at the top of these modules: pandas and its kin take a second to load, which
`--help` and `runs` need not pay. Each command imports the rooms it works with.
"""
