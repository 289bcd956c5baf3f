"""Live customers: fetched with the fewest requests, and compared with the rows of a file."""
