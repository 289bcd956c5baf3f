"""The command line: builds the run context, talks to the user, chooses the exit code.

`commands/` has a module for each command, which is loaded when the command is called: so each module has ordinary
imports at its top, and `--help` does not wait for pandas.
"""
