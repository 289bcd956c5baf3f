"""A local stand-in for the Sellercloud service, for trying the program and for tests.

It imports the field table, its types, `errors`, `clock` and `network`, and nothing else of the program. `docs/api.md`
describes what it imitates.
"""
