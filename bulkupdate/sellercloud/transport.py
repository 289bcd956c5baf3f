"""Send one request and receive its response.

Only this module, its adapter and `environment.py` use `requests`; each of its exceptions is translated here.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

import requests
from requests.models import PreparedRequest
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from bulkupdate import __version__
from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.environment import find_certificates, find_proxies, unusable_address_error
from bulkupdate.sellercloud.http_adapter import DeadlineAdapter
from bulkupdate.sellercloud.response import ApiResponse, read_response

LONGEST_BODY = 8 * 1024 * 1024
"""Bytes of a response that are read; fifty customers of a list page take some 50 KiB."""


_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
"""OpenSSL's codes for an answer that is not TLS; which one depends on its version and on the answer."""


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request.

    `body` is JSON text, None for none; `token` goes into the Authorization header, empty for none.
    `expects_json_object`: a response of 200 is usable only if it holds a JSON object.
    """

    method: str
    url: str
    body: str | None = None
    token: str = ""
    expects_json_object: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url})"


class NoReplyError(Exception):
    """A request got no response. `was_sent`: it may have reached the service; else it certainly did not.

    `is_address_suspect`: the failure is of a kind that a wrong base URL causes, such as an unknown host or a refused
    connection. Stays within this package, where `retries.py` handles it.
    """

    def __init__(self, message: str, *, was_sent: bool, is_address_suspect: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent
        self.is_address_suspect = is_address_suspect


class Transport:
    """Sends requests over kept connections. Thread-safe.

    `timeout` is the seconds for one request from connecting to its last byte; `connections` is how many are kept open.
    Proxies and `REQUESTS_CA_BUNDLE` / `CURL_CA_BUNDLE` are taken from the environment once.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        connections: int,
        clock: Clock,
        redactor: Redactor,
    ) -> None:
        self._timeout = timeout
        self._limit = Timeout(total=timeout)
        self._clock = clock
        self._redactor = redactor
        self._adapter = DeadlineAdapter(pool_connections=4, pool_maxsize=connections)
        self._proxies = find_proxies(url)
        self._verify = find_certificates()

    def send(self, request: Request) -> ApiResponse:
        """Send the request and read the response; redirects are not followed.

        Raises `NoReplyError` if there is none, `StoppedError` if the service's certificate cannot be trusted, and
        `UsageError` if address or proxy cannot be used.
        """
        try:
            response: BaseHTTPResponse = self._adapter.send(  # type: ignore[assignment]  # see the adapter
                _prepare(request),
                timeout=self._limit,  # type: ignore[arg-type]  # taken as it is (adapters.py); the stubs do not say so
                verify=self._verify,
                proxies=self._proxies,
            )
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            raise self._translate(error, request.url) from _without_request(error)
        body, is_whole = _read_body(response)
        headers = dict(response.headers.itermerged())
        read = read_response(response.status, headers, body, self._clock.now(), self._redactor.redact)
        return read if is_whole else read.with_note("its body broke off or was too long")

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _translate(self, error: Exception, url: str) -> Exception:
        causes = list(_walk_causes(error))
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            reason = next(cause.verify_message for cause in causes if isinstance(cause, ssl.SSLCertVerificationError))
            return StoppedError(
                f"The certificate of {_host_of(url)} cannot be trusted: {reason}.",
                remedy="Check BULKUPDATE_BASE_URL; behind a company proxy, set its certificates in REQUESTS_CA_BUNDLE.",
            )
        if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL):
            return unusable_address_error()
        return NoReplyError(
            self._describe_failure(error, causes, _host_of(url)),
            was_sent=not _is_certainly_unsent(error, causes),
            is_address_suspect=any(map(_is_address_suspect, causes)),
        )

    def _describe_failure(self, error: Exception, causes: list[BaseException], host: str) -> str:
        """Describe the failure; `host` is that of the service, with its port."""
        is_unsent = _is_certainly_unsent(error, causes)
        reason = next(filter(None, map(_reason_of, causes)), None)
        if isinstance(error, requests.exceptions.ProxyError):
            return "no connection through the proxy" + (f": {reason}" if reason else "")
        if isinstance(error, requests.Timeout):
            missing = f"connection to {host}" if is_unsent else "answer"
            return f"no {missing} within {self._timeout:g} s"
        if any(isinstance(cause, NameResolutionError) for cause in causes):
            return f"no connection: there is no host {host}, or no network"
        if any(map(_is_not_tls, causes)):
            return f"no connection: {host} does not speak TLS (https)"
        stage = f"no connection to {host}" if is_unsent else "the connection broke before an answer came"
        return f"{stage}: {reason}" if reason else stage


def _prepare(request: Request) -> PreparedRequest:
    prepared = PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    headers = {"Accept": "application/json", "User-Agent": f"bulkupdate/{__version__}", "Accept-Encoding": "identity"}
    if request.token:
        headers["Authorization"] = f"Bearer {request.token}"
    if request.body is not None:
        prepared.body = request.body.encode()
        headers["Content-Type"] = "application/json"
        headers["Content-Length"] = str(len(prepared.body))
    prepared.headers = headers  # type: ignore[assignment]  # urllib3 takes any mapping
    return prepared


def _read_body(raw: BaseHTTPResponse) -> tuple[bytes, bool]:
    """Return the body, and whether it is complete. As the status has come, a broken body is still a response."""
    try:
        body: bytes = raw.read(LONGEST_BODY + 1, decode_content=True)
    except (HTTPError, HTTPException, OSError):
        raw.close()
        return b"", False
    if len(body) <= LONGEST_BODY:
        return body, True
    raw.close()
    return body[:LONGEST_BODY], False


def _walk_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and its causes, which `requests` and urllib3 keep in several places."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__]


def _reason_of(error: BaseException) -> str | None:
    """Return the system's words: `Connection refused`. Never those of `requests`, whose texts may hold secrets."""
    return error.strerror if isinstance(error, OSError) and not isinstance(error, requests.RequestException) else None


def _host_of(url: str) -> str:
    """Return the host with its port, without a login."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _is_certainly_unsent(error: Exception, causes: list[BaseException]) -> bool:
    return isinstance(error, requests.exceptions.ProxyError) or any(
        isinstance(cause, ConnectTimeoutError | NewConnectionError) for cause in causes
    )


def _is_address_suspect(cause: BaseException) -> bool:
    return isinstance(cause, NameResolutionError | ConnectionRefusedError) or _is_not_tls(cause)


def _is_not_tls(cause: BaseException) -> bool:
    """Return whether a TLS connection was answered by a server that does not speak TLS."""
    return isinstance(cause, ssl.SSLError) and getattr(cause, "reason", "") in _NOT_TLS


def _without_request(error: Exception) -> Exception:
    """Return the exception without its request, which holds the token and the customer's data."""
    if isinstance(error, requests.RequestException):
        error.request = error.response = None
    return error
