"""Bulk-update Sellercloud customers from a CSV or Excel file, with a result for every row."""

__version__ = "0.1.0"
