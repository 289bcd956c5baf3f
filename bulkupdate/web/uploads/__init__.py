"""Uploaded sheets: where they are kept, how they are checked, and what is stored beside them."""
