"""Sheets in and out: `reading` turns any file into texts, `writing` makes every workbook and CSV file."""
