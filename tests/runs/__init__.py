"""Runs by the whole program, or in the test's own process (`in_process.py`), against a real sandbox."""
