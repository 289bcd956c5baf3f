"""Post a notification to a webhook.

Anyone who has the address of the webhook can post to it, so the address is a secret and never appears in an error.
"""

from __future__ import annotations

from bulkupdate.clock import Clock
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport
from bulkupdate.settings import Secret

POST_SECONDS = 15.0


class WebhookError(Exception):
    """The webhook did not accept the notification. `is_temporary`: another attempt may succeed."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary


def post_json(url: Secret, body: str, clock: Clock) -> None:
    """Post the JSON text, in one attempt; redirects are not followed.

    Raises `WebhookError`, `UsageError` if the address or the proxy cannot be used, and `StoppedError` for a bad
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
        raise WebhookError(str(error), is_temporary=True) from None
    finally:
        transport.close()
    if not 200 <= reply.status < 300:
        is_temporary = reply.verdict in (Verdict.TRANSIENT, Verdict.THROTTLED) or reply.status == 429
        raise WebhookError(f"{reply.status} {reply.message}".rstrip(), is_temporary=is_temporary)
