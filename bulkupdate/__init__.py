"""Turns a spreadsheet of customers into Sellercloud customer updates, and says of each customer what became of it."""

__version__ = "0.1.0"
