"""Find the address of the service from a base URL as people paste it, a server id, or a team's name."""

from __future__ import annotations

import re
import threading
from urllib.parse import quote, urlsplit

from bulkupdate.clock import Clock
from bulkupdate.errors import ServiceDownError, UsageError
from bulkupdate.network import is_loopback
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.response import ApiResponse, Verdict, find_message, sanitize_message
from bulkupdate.sellercloud.retry import RequestHistory, Retrier
from bulkupdate.sellercloud.transport import Request, Transport
from bulkupdate.settings import Settings

LOOKUP_URL = "https://api.sellercloud.com/api/server-by-team/"
"""Where a team's server is looked up (`docs/api.md`, section Address)."""

_EXAMPLE = "https://xx.api.sellercloud.com/rest/api"


def normalise_base_url(pasted: str) -> str:
    """Return the base URL ending in `/rest/api`, from one with a trailing slash, `/rest`, or the host alone.

    Raises `UsageError` for what is no address, for plain http to another machine, and for credentials in it.
    """
    text = pasted.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refuse("is not an address") from None
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refuse("holds a user name or password; give these as BULKUPDATE_USERNAME and BULKUPDATE_PASSWORD")
    if parts.scheme not in ("https", "http") or not host or not _is_host(host):
        raise _refuse("is not an address that begins with https://")
    if parts.query or parts.fragment or not re.fullmatch(r"(/rest(/api)?)?/*", parts.path, re.IGNORECASE):
        raise _refuse("has more behind its host than /rest/api")
    if parts.scheme == "http" and not is_loopback(host):
        raise _refuse("begins with http://, which would show the password to the network")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}/rest/api"


class Lookup:
    """Asks which server a team is on. `calls` counts the requests sent."""

    def __init__(self, settings: Settings, url: str, clock: Clock, stop: threading.Event) -> None:
        self.calls = 0
        self._url = url
        self._timeout = settings.timeout
        self._clock = clock
        self._retrier = Retrier(settings.max_attempts, settings.retry_wait, clock, stop)

    def ask(self, team: str) -> RequestHistory:
        """Return the tries at the question, and the last answer."""
        transport = Transport(self._url, self._timeout, 1, self._clock, Redactor())
        request = Request("GET", f"{self._url}?team={quote(team, safe='')}")
        course = RequestHistory()

        def send(course: RequestHistory) -> ApiResponse:
            self.calls += 1
            course.attempts += 1
            return transport.send(request)

        self._retrier.run(send, course)
        transport.close()
        return course


def find_base_url(settings: Settings, look_up: Lookup) -> str:
    """Return the base URL that the settings name, looked up where they give a team only.

    Raises `UsageError` where they make no sense or the team is not known, `ServiceDownError` where the lookup fails.
    """
    if settings.base_url:
        return normalise_base_url(settings.base_url)
    if settings.server_id:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", settings.server_id.strip()):
            raise UsageError(
                "BULKUPDATE_SERVER_ID is no server id.", remedy=f"It is the xx of {_EXAMPLE}: letters and digits."
            )
        return f"https://{settings.server_id.strip().lower()}.api.sellercloud.com/rest/api"
    return _find_server(settings.team, look_up.ask(settings.team))


def _find_server(team: str, course: RequestHistory) -> str:
    if course.reply is None or course.reply.verdict in (Verdict.TRANSIENT, Verdict.THROTTLED):
        raise ServiceDownError(
            f"Looking up the server of the team {team!r} failed: {course.describe()}.",
            remedy="Try again later, or set BULKUPDATE_BASE_URL.",
        )
    answer = course.reply.read_json()
    endpoint = answer.get("RestApiEndpoint") if isinstance(answer, dict) else None
    if course.reply.verdict is Verdict.ACCEPTED and isinstance(endpoint, str) and endpoint:
        return normalise_base_url(endpoint)
    told = sanitize_message(find_message(course.reply.body, answer)) or "no address in the answer"
    raise UsageError(
        f"No server was found for the team {team!r}: {told}.",
        remedy="Check BULKUPDATE_TEAM, or set BULKUPDATE_BASE_URL instead.",
    )


def _is_host(host: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", host, re.ASCII) is not None


def _refuse(what: str) -> UsageError:
    return UsageError(f"The base URL {what}.", remedy=f"BULKUPDATE_BASE_URL looks like {_EXAMPLE}.")
