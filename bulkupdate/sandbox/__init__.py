"""A local stand-in for the Sellercloud service, to try the program and to test against.

It imports the field table, its types, `errors`, `clock` and `network`, and nothing else of the program.
"""
