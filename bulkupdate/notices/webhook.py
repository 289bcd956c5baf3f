"""Post a notification to a webhook.

Anyone who has the address of the webhook can post to it, so the address is a secret and never appears in an error.
"""

from __future__ import annotations

from bulkupdate.clock import Clock
from bulkupdate.notices.delivery import delivery_error
from bulkupdate.redaction import Redactor, Secret
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport

REQUEST_SECONDS = 15.0


def post_json(url: Secret, body: str, clock: Clock) -> None:
    """Post the JSON text, in one attempt; redirects are not followed. Raises as `request_secret_address` does."""
    request_secret_address(url, url.reveal(), body, clock)


def request_secret_address(url: Secret, address: str, body: str | None, clock: Clock) -> None:
    """Post the JSON text to `address`, or get it if `body` is None, in one attempt; redirects are not followed.

    No part of `url` appears in an error. Raises `DeliveryError`, `UsageError` if the address or the proxy cannot be
    used, and `StoppedError` for a bad certificate.
    """
    redactor = Redactor()
    for part in (address, url.reveal(), *url.reveal().rpartition("//")[2].split("/")[1:]):
        redactor.learn(part)
    transport = Transport(address, REQUEST_SECONDS, 1, clock, redactor)
    try:
        reply = transport.send(Request("GET" if body is None else "POST", address, body))
    except NoReplyError as error:
        raise delivery_error(str(error), is_temporary=True) from None
    finally:
        transport.close()
    if not 200 <= reply.status < 300:
        is_temporary = reply.verdict in (Verdict.TRANSIENT, Verdict.THROTTLED) or reply.status == 429
        raise delivery_error(f"{reply.status} {reply.message}".rstrip(), is_temporary=is_temporary)
