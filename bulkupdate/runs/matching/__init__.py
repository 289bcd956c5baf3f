"""Find the customers of a sheet by another key than their id, and never the wrong one.

Whatever finds a candidate, a filter of the service or a lookup sheet, its key is compared here before it counts.
"""
