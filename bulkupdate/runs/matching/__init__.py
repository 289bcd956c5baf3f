"""Find the customers of a sheet by a key other than the id, and never the wrong one.

Whatever finds a candidate, a filter of the service or a lookup sheet, its key is compared here before it counts.
"""
