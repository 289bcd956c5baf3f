"""Find the base URL of the service from a pasted address, a server id, or a team's name."""

from __future__ import annotations

import re
import threading
from urllib.parse import quote, urlsplit

from bulkupdate.clock import Clock
from bulkupdate.errors import ServiceDownError, UsageError
from bulkupdate.network import is_loopback
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.error_message import sanitize_message
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory, Retrier
from bulkupdate.sellercloud.transport import Request, Transport
from bulkupdate.settings import Settings

LOOKUP_URL = "https://api.sellercloud.com/api/server-by-team/"
"""Where a team's server is looked up (`docs/api.md`, section Address)."""

_BARE_HOST = re.compile(r"(localhost|[\w-]+(\.[\w-]+)+)(:\d+)?(/.*)?", re.ASCII | re.IGNORECASE)
"""A host without `https://`, as users paste it."""

_EXAMPLE = "https://xx.api.sellercloud.com/rest/api"


def normalise_base_url(pasted: str) -> str:
    """Return the base URL ending in `/rest/api`, from one with a trailing slash, `/rest`, or the host alone.

    Raises `UsageError` for what is not an address, for plain http to another machine, and for credentials in it.
    """
    text = pasted.strip()
    if "@" in text:  # not shown: it may hold the password
        raise UsageError(
            "The base URL holds a user name or password.",
            remedy="Give these as BULKUPDATE_USERNAME and BULKUPDATE_PASSWORD, and remove them from the base URL.",
        )
    if _BARE_HOST.fullmatch(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _base_url_error(text, "is not an address") from None
    if parts.scheme not in ("https", "http") or not host or not _is_host(host):
        raise _base_url_error(text, "is not an address that begins with https://")
    if parts.query or parts.fragment or not re.fullmatch(r"(/rest(/api)?)?/*", parts.path, re.IGNORECASE):
        raise _base_url_error(text, "has more after its host than /rest/api")
    if parts.scheme == "http" and not is_loopback(host):
        raise _base_url_error(text, "begins with http://, which would send the password unencrypted")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}/rest/api"


class TeamLookup:
    """Asks which server a team is on (`docs/api.md`, section Address). `requests_sent` counts the requests."""

    def __init__(self, settings: Settings, clock: Clock, stop: threading.Event, url: str = "") -> None:
        self.requests_sent = 0
        self._url = url or LOOKUP_URL
        self._timeout = settings.timeout
        self._clock = clock
        self._retrier = Retrier(settings.max_attempts, settings.retry_wait, clock, stop)

    def fetch(self, team: str) -> RequestHistory:
        """Return the attempts at the question, with the last response."""
        transport = Transport(self._url, self._timeout, 1, self._clock, Redactor())
        request = Request("GET", f"{self._url}?team={quote(team, safe='')}")
        history = RequestHistory()

        def send(history: RequestHistory) -> ApiResponse:
            self.requests_sent += 1
            history.attempts += 1
            return transport.send(request)

        self._retrier.run(send, history)
        transport.close()
        return history


def find_base_url(settings: Settings, look_up: TeamLookup) -> str:
    """Return the base URL that the settings name, looked up if they name only a team.

    Raises `UsageError` if they make no sense or the team is not known, `ServiceDownError` if the lookup fails.
    """
    if settings.base_url:
        return normalise_base_url(settings.base_url)
    if settings.server_id:
        return server_address(settings.server_id)
    return _find_server(settings.team, look_up.fetch(settings.team))


def server_address(server_id: str) -> str:
    """Return the base URL of a server. Raises `UsageError` if that is not a server's id."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", server_id.strip()):
        raise UsageError(
            f"BULKUPDATE_SERVER_ID is {server_id!r}, which is not a server id.",
            remedy=f"It is the xx of {_EXAMPLE}: letters and digits.",
        )
    return f"https://{server_id.strip().lower()}.api.sellercloud.com/rest/api"


def _find_server(team: str, history: RequestHistory) -> str:
    response = history.response
    if response is None or response.verdict in (Verdict.TRANSIENT, Verdict.THROTTLED):
        raise ServiceDownError(
            f"Looking up the server of the team {team!r} failed: {history.describe()}.",
            remedy="Try again later, or set BULKUPDATE_BASE_URL.",
        )
    answer = response.json
    endpoint = answer.get("RestApiEndpoint") if isinstance(answer, dict) else None
    if response.verdict is Verdict.ACCEPTED and isinstance(endpoint, str) and endpoint:
        return normalise_base_url(endpoint)
    details = response.message or "the answer holds no address"
    raise UsageError(
        f"No server was found for the team {team!r}: {details}.",
        remedy="Check BULKUPDATE_TEAM, or set BULKUPDATE_BASE_URL instead.",
    )


def _is_host(host: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", host, re.ASCII) is not None


def _base_url_error(text: str, what: str) -> UsageError:
    return UsageError(
        f"The base URL {sanitize_message(text)!r} {what}.", remedy=f"BULKUPDATE_BASE_URL looks like {_EXAMPLE}."
    )
