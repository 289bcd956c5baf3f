"""Write results, to-fix sheets, check reports, templates and exports."""
