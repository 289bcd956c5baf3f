"""Errors of mails, webhooks and heartbeats: final ones, and those for which another attempt may succeed."""

from __future__ import annotations

TRIES = 4
FIRST_WAIT_SECONDS = 2.0
"""2, 4 and 8 seconds, with jitter: one notification waits for 20 seconds at most."""


class DeliveryError(Exception):
    """A mail, a webhook or a heartbeat was not accepted. Its message holds no secret."""


class TemporaryDeliveryError(DeliveryError):
    """It was not accepted, but another attempt may succeed."""


def delivery_error(message: str, *, is_temporary: bool) -> DeliveryError:
    """Return the error for that message."""
    return TemporaryDeliveryError(message) if is_temporary else DeliveryError(message)
