"""Post a notice to the firm's webhook.

It does not go through `sellercloud/`, which counts requests against the quota and turns answers into statuses. Anyone
who has the webhook's address can post to it, so the address is a secret and never appears in an error.
"""

from __future__ import annotations

from bulkupdate.clock import Clock
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport
from bulkupdate.settings import Secret

POST_SECONDS = 15.0


class WebhookError(Exception):
    """The notice was not taken. `may_pass`: trying again may help."""

    def __init__(self, message: str, *, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


def post_json(url: Secret, body: str, clock: Clock) -> None:
    """POST that JSON text, once; redirects are not followed.

    Raises `WebhookError`, `UsageError` where the address or the proxy cannot be used, and `StoppedError` for a bad
    certificate.
    """
    address = url.reveal()
    redactor = Redactor()
    for part in (address, *address.rpartition("//")[2].split("/")[1:]):
        redactor.learn(part)
    transport = Transport(address, POST_SECONDS, 1, clock, redactor)
    try:
        reply = transport.send(Request("POST", address, body))
    except NoReplyError as error:
        raise WebhookError(str(error), may_pass=True) from None
    finally:
        transport.close()
    if not 200 <= reply.status < 300:
        may_pass = reply.verdict in (Verdict.TRANSIENT, Verdict.THROTTLED) or reply.status == 429
        raise WebhookError(f"{reply.status} {reply.message}".rstrip(), may_pass=may_pass)
