"""Results and reports: what is written and said of checks and runs, from the journal alone."""
