"""Sheets: any file read as texts, and every workbook and CSV file that is written."""
