"""Read a file over HTTPS. No redirect leads to plain HTTP, and none takes a credential to another host.

Logins come from ~/.netrc, and each host gets only its own. Errors never quote what a library says: it quotes the whole
address, and the query of that may hold a token.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urljoin

import requests
import urllib3.exceptions

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.remote.address import Address, parse_address
from bulkupdate.remote.download import Download, failed_error
from bulkupdate.remote.public_hosts import NotPublicError, PublicHostsAdapter

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_BLOCK_BYTES = 1 << 18
_TIMEOUTS_IN_ALL = 20
"""A whole file may take this many times the timeout: a server could send a byte at a time for ever."""

_CUT_OFF = "the connection ended before the file did"


@contextmanager
def open_https(address: Address, timeout: float, public_hosts_only_but: Collection[str] | None) -> Iterator[Download]:
    """Open a file; see `open_download`."""
    with requests.Session() as session:
        if public_hosts_only_but is not None:
            session.trust_env = False  # no proxy: it would connect to what was not checked
            session.mount("https://", PublicHostsAdapter(public_hosts_only_but))
            session.mount("http://", PublicHostsAdapter(public_hosts_only_but))
        with closing(_follow(session, address, timeout)) as response:
            _require_success(address, response)
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            yield Download(content_type, _read(address, response, Clock().monotonic() + _TIMEOUTS_IN_ALL * timeout))


def _follow(session: requests.Session, address: Address, timeout: float) -> requests.Response:
    """Return the answer at the end of the redirects."""
    current = address
    for _ in range(_MAX_REDIRECTS + 1):
        response = _get(session, current, timeout)
        if response.status_code not in _REDIRECTS or "Location" not in response.headers:
            return response
        response.close()
        try:
            target = parse_address(urljoin(current.full.reveal(), response.headers["Location"]))
        except UsageError as error:
            raise failed_error(address, "it redirects to an address that is not allowed") from error
        if target.scheme not in ("https", current.scheme):
            raise failed_error(address, "it redirects to an address that is not https://")
        current = target
    raise failed_error(address, "it redirects too often")


def _get(session: requests.Session, address: Address, timeout: float) -> requests.Response:
    try:
        return session.get(
            address.full.reveal(), stream=True, allow_redirects=False, timeout=timeout,
            headers={"Accept-Encoding": "identity"},
        )  # fmt: skip
    except requests.RequestException as error:
        what, remedy = _explain(error)
    except (NotPublicError, ValueError) as error:
        what, remedy = str(error) if isinstance(error, NotPublicError) else "the address is not valid", None
    raise failed_error(address, what, remedy)


def _explain(error: requests.RequestException) -> tuple[str, str | None]:
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate of its server is not accepted", "Ask who runs that server."
    if isinstance(error, requests.Timeout):
        return "its server did not answer in time", "Try again later, or raise BULKUPDATE_TIMEOUT."
    if isinstance(error, requests.ConnectionError):
        return "its server cannot be reached", None
    return "the address is not valid", None


def _require_success(address: Address, response: requests.Response) -> None:
    status = response.status_code
    if status in (401, 403):
        raise failed_error(address, f"its server refuses it ({status})", "Put the login for that host into ~/.netrc.")
    if status != requests.codes.ok:
        raise failed_error(address, f"its server answered {status}")
    raw = response.raw
    if raw.length_remaining is None and not raw.chunked:
        raise failed_error(address, "its server does not say how long it is, so it could be cut off unnoticed")


def _read(address: Address, response: requests.Response, deadline: float) -> Iterator[bytes]:
    """Yield the content; `deadline` is by the monotonic clock."""
    clock = Clock()
    try:
        while block := response.raw.read1(_BLOCK_BYTES, decode_content=True):  # what is there: it waits for no more
            if clock.monotonic() > deadline:
                raise urllib3.exceptions.TimeoutError
            yield block
    except urllib3.exceptions.TimeoutError:
        what = "its server sends too slowly"
    except (urllib3.exceptions.HTTPError, OSError):
        what = _CUT_OFF
    else:
        return
    raise failed_error(address, what, "Try again.")
