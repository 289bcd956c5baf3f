"""Signed-in users: their sessions, their cookies, and how repeated sign-in attempts are slowed down."""
