"""Mails and webhooks: how a notification reaches its users, of nights and of the upload page."""
