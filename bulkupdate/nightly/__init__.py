"""The nightly folder: every waiting file is checked, sent and archived, for a scheduler."""
