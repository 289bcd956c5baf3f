"""Limit the time of a whole response, and read past interim responses.

The read time-out of `requests` restarts with every byte, so a server that sends one byte a second would hold a worker
for ever. Here each read of the socket gets only what is left of the request's time. That costs one `settimeout` for
each read, and no thread.

The adapter also skips work that `requests` does for each request and that is not needed here, which saves a seventh of
the processor time of a PUT (`docs/architecture.md`, Libraries).
"""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, HTTPResponse, parse_headers
from time import monotonic
from typing import Any

from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool

MAX_INTERIM_RESPONSES = 20
"""Interim responses (1xx) that are read past before the final one; more of them count as no response."""


class InterimResponseError(HTTPException):
    """The service changed the protocol, or sent too many interim responses. The connection must not be used again."""


class _DeadlineReader(io.RawIOBase):
    """The reading end of a socket, which times out at its deadline even if bytes keep coming."""

    def __init__(self, reading_end: Any, sock: socket.socket, deadline: float) -> None:
        self._reading_end = reading_end
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        received: int | None = self._reading_end.readinto(buffer)
        return received

    def close(self) -> None:
        self._reading_end.close()
        super().close()


class _DeadlineResponse(HTTPResponse):
    """A response that must be complete within the time-out that its socket had when reading began.

    urllib3 sets that time-out just before (`Timeout.read_timeout`: what connecting and sending left of the total).
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            unbuffered = self.fp.detach()
            self.fp = io.BufferedReader(_DeadlineReader(unbuffered, sock, monotonic() + timeout))

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line of the final response (RFC 9110, 15.2).

        `http.client` of Python 3.11 reads past 100 alone. Any other interim response would be taken for the final one,
        and the final one for the response to the next request on this connection.
        """
        for _ in range(MAX_INTERIM_RESPONSES + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # missing in the stubs
            if status >= 200:
                return version, status, reason
            if status == 101:
                raise InterimResponseError("the service changed to another protocol")
            parse_headers(self.fp)
        raise InterimResponseError(f"more than {MAX_INTERIM_RESPONSES} interim responses and no final one")


class _DeadlineConnection(HTTPConnection):
    response_class = _DeadlineResponse


class _DeadlineTlsConnection(HTTPSConnection):
    response_class = _DeadlineResponse


class _DeadlinePool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


class _DeadlineTlsPool(HTTPSConnectionPool):
    ConnectionCls = _DeadlineTlsConnection


_POOLS = {"http": _DeadlinePool, "https": _DeadlineTlsPool}


class DeadlineAdapter(HTTPAdapter):
    """The transport of `requests`, with a time-out for the request as a whole, and without unneeded work.

    For requests that all have the same certificates and proxies. Give it a `urllib3.Timeout(total=…)`. Each address of
    the host is tried in turn; looking up the host's name is left to the system, which has its own limit.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._pools: dict[str, ConnectionPool] = {}
        super().__init__(*args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the connection pools, with the time-out for the request as a whole."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> PoolManager:
        """Return the connection pools to a proxy, with the same time-out."""
        manager: PoolManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the connections to the request's host; URL and proxies are parsed for the first request only."""
        origin = "/".join((request.url or "").split("/", 3)[:3])
        if origin not in self._pools:
            self._pools[origin] = super().get_connection_with_tls_context(request, verify, proxies, cert)
        return self._pools[origin]

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """Return the target in the request's first line; without proxies that is the path."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: PreparedRequest, resp: Any) -> Any:  # noqa: ARG002 - the signature of `requests`
        """Return urllib3's response as it is: status, headers and body are all that is wanted of it."""
        return resp

    def close(self) -> None:
        """Close the kept connections."""
        self._pools.clear()
        super().close()
