"""Limit the time of a whole answer, and read past interim answers.

The read time-out of `requests` starts anew with every byte, so that a server which sends one byte a second holds a
worker for ever. Here each read of the socket is given only what is left of the request's time. That costs one call of
`settimeout` a read, and no thread.
"""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, HTTPResponse, parse_headers
from time import monotonic
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

MOST_INTERIM_ANSWERS = 20
"""Interim answers (1xx) that are read past before the final one; a service that sends more gives no answer."""


class InterimAnswerError(HTTPException):
    """The service sent an interim answer where none fits, or no end of them. The connection must not be used again."""


class _DeadlineReader(io.RawIOBase):
    """A socket's reading end that gives up at its deadline, however often a byte comes."""

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
    """An answer that must be there, last byte included, within the time-out its socket had when reading began.

    urllib3 sets that time-out just before (`Timeout.read_timeout`: what connecting and sending left of the total).
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            unbuffered = self.fp.detach()
            self.fp = io.BufferedReader(_DeadlineReader(unbuffered, sock, monotonic() + timeout))

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line of the final answer (RFC 9110, 15.2).

        `http.client` of Python 3.11 reads past 100 alone. Any other interim answer would be taken for the final one,
        and the final one for that of the next request on this connection.
        """
        for _ in range(MOST_INTERIM_ANSWERS + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # the stubs leave it out
            if status >= 200:
                return version, status, reason
            if status == 101:
                raise InterimAnswerError("the service changed to another protocol")
            parse_headers(self.fp)
        raise InterimAnswerError(f"more than {MOST_INTERIM_ANSWERS} interim answers and no final one")


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
    """The transport of `requests`, with the time-out holding for the request as a whole.

    Give it a `urllib3.Timeout(total=…)`. Connecting is tried for each address of the host in turn; looking up the
    host's name is the system's and has a limit of its own.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections, with the time-out for the request as a whole."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> PoolManager:
        """Return the pools of connections to a proxy, with the same time-out."""
        manager: PoolManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
