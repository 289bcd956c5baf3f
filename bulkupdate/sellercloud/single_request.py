"""Send one request once, whatever its outcome, to find out how the service answers."""

from __future__ import annotations

from dataclasses import dataclass

from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.read_request import interrupted_error
from bulkupdate.sellercloud.response import ApiResponse
from bulkupdate.sellercloud.retries import RequestHistory
from bulkupdate.sellercloud.transport import Request


@dataclass(frozen=True)
class RequestResult:
    """The result of one request. `response` is None if there was none; `may_be_applied` holds for an update."""

    response: ApiResponse | None
    may_be_applied: bool
    description: str

    @property
    def status(self) -> int | None:
        """The HTTP status; None if there was no response."""
        return self.response.status if self.response else None


def send_once(client: Client, method: str, url: str, body: str | None = None, *, token: str = "") -> RequestResult:
    """Send a request to that address of the service, with the client's own token unless another is given.

    It is attempted once; only throttling is waited out, and a 401 leads to one new sign-in. Raises the `StoppedError`s
    of sign-in and throttling, and `InterruptedRunError` once the run is asked to stop.
    """
    history = RequestHistory()
    request = Request(method, url, body, token)
    client.pipeline.run_once(request, history)
    if history.was_stopped:
        raise interrupted_error("the next request")
    return RequestResult(history.response, history.may_be_applied, history.describe())
