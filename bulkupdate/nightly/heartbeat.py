"""Request the heartbeat address of a monitoring service (healthchecks.io and similar) at start and end of a night.

Anyone who has the address can request it, so the address is a secret and never appears in an error.
"""

from __future__ import annotations

import threading
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.notices.delivery import DeliveryError, TemporaryDeliveryError
from bulkupdate.notices.webhook import request_secret_address
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.retries import Retrier

TRIES = 3
FIRST_WAIT_SECONDS = 1.0


class Signal(StrEnum):
    """What is appended to the path of the heartbeat address."""

    START = "/start"
    SUCCESS = ""
    FAIL = "/fail"


def choose_signal(exit_code: ExitCode) -> Signal:
    """Return the signal at the end of a night: exit codes 0 and 1 are a night that ran, 2 and more are failures."""
    return Signal.SUCCESS if exit_code in (ExitCode.DONE, ExitCode.INCOMPLETE) else Signal.FAIL


def send_heartbeat(
    url: Secret, signal: Signal, clock: Clock, stop: threading.Event, *, first_wait: float = FIRST_WAIT_SECONDS
) -> bool:
    """Request the address, unless it is empty; log a failure, and return whether there was none."""
    if not url:
        return True
    try:
        retrier = Retrier(TRIES, first_wait, clock, stop, TemporaryDeliveryError)
        retrier.retry(lambda: request_heartbeat(url, signal, clock))
    except (DeliveryError, BulkUpdateError) as error:
        LOGGER.warning("the heartbeat%s failed: %s", f" {signal.value}" if signal.value else "", error)
        return False
    return True


def request_heartbeat(url: Secret, signal: Signal, clock: Clock) -> None:
    """Request the address in one attempt. Raises as `webhook.request_secret_address` does."""
    request_secret_address(url, _append(url.reveal(), signal), None, clock)


def _append(address: str, signal: Signal) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + signal.value)) if signal.value else address
