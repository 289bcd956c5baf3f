"""The nightly folder: every waiting sheet checked, sent and filed, with nobody watching."""
