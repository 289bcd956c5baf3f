"""Connections to the server: what is refused before the application sees it, and what is closed because it is slow."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import waitress.server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import Error

from bulkupdate.web.server.request_pools import RequestPools

MAX_CONNECTIONS = 300
CROWDED_CONNECTIONS = 240
"""From this number on, connections without a request are closed at once."""

HEADER_SECONDS = 10.0
"""How long the headers of a request may take to arrive, and a new connection to send any."""

BODY_SECONDS = 30.0
MIN_BYTES_PER_SECOND = 8 << 10
"""A body may take `BODY_SECONDS`, and longer if it arrives at this rate."""

IDLE_SECONDS = 60
CLEANUP_SECONDS = 2


@dataclass(frozen=True)
class RequestRefusal:
    """Why a request is refused before its body is read; `message` is a sentence for the page."""

    status: int
    title: str
    message: str


@dataclass(frozen=True)
class RequestHead:
    """What is known about a request before its body. `length` is the size of the body in bytes, None if unknown."""

    command: str
    path: str
    cookies: str
    length: int | None


Gate = Callable[[RequestHead, object], RequestRefusal | None]
"""Says whether a request is refused; the object is the request, alive as long as its body is being received."""

RenderError = Callable[[int, str, str], str]
"""Renders the page for a refusal from its status, title and message."""


class _EarlyError(Error):
    """A refusal as an error that waitress passes to its error task."""

    def __init__(self, refusal: RequestRefusal) -> None:
        super().__init__(refusal.message)
        self.code, self.reason = refusal.status, refusal.title


class _Parser(HTTPRequestParser):
    gate: Gate
    is_busy = False

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        length = None if self.chunked else self.content_length
        head = RequestHead(self.command, self.path, self.headers.get("COOKIE", ""), length)
        refusal = type(self).gate(head, self)
        if refusal is not None:
            self.error = _EarlyError(refusal)
            self.expect_continue, self.chunked, self.content_length, self.body_rcv = False, False, 0, None


class _Task(WSGITask):
    def get_environment(self) -> dict[str, Any]:
        environment = super().get_environment()
        environment["bulkupdate.busy"] = self.request.is_busy
        return environment


class _ErrorTask(ErrorTask):
    """The answer to a request that never reaches the application (too large, malformed): a page like the others."""

    render: RenderError
    headers: dict[str, str]

    def execute(self) -> None:
        error: Any = self.request.error
        title, message = _PAGES.get(error.code, _MALFORMED)
        if isinstance(error, _EarlyError):
            title, message = error.reason, error.body
        body = type(self).render(error.code, title, message).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers = [
            *self.response_headers,
            ("Content-Type", "text/html; charset=utf-8"),
            *type(self).headers.items(),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


_MALFORMED = "Invalid request", "The request could not be understood. Go back to the start and try again."
_PAGES = {
    413: ("Too large", "The upload is too large. Split the sheet, or save it without pictures, and try again."),
    431: ("Too long", "The address or the cookies are too long. Delete the cookies of this site and try again."),
}


class _Channel(HTTPChannel):
    task_class = _Task

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.request_started = self.creation_time

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.request_started = time.time()
        return bool(super().received(data))

    def is_too_slow(self, now: float, is_crowded: bool) -> bool:
        """Return whether the client takes too long to send its request."""
        if self.requests or self.total_outbufs_len:
            return False
        request, waited = self.request, now - self.request_started
        if request is None:
            is_new = self.last_activity == self.creation_time
            return is_crowded or (is_new and waited > HEADER_SECONDS)
        if not request.headers_finished:
            return waited > (CLEANUP_SECONDS if is_crowded else HEADER_SECONDS)
        return waited > BODY_SECONDS + request.body_bytes_received / MIN_BYTES_PER_SECOND


class Server(waitress.server.TcpWSGIServer):
    """waitress with pools of threads, and with limits on how slow a client may be."""

    def maintenance(self, now: float) -> None:
        """Close slow and idle connections, and answer what has waited too long."""
        super().maintenance(now)
        is_crowded = len(self.active_channels) >= CROWDED_CONNECTIONS
        for channel in list(self.active_channels.values()):
            if channel.is_too_slow(now, is_crowded):
                channel.will_close = True
        self.task_dispatcher.answer_overdue()


def make_channel_class(gate: Gate, render: RenderError, headers: dict[str, str]) -> type[HTTPChannel]:
    """Return the class of connections that ask `gate`, and answer errors with pages made by `render`."""
    parser = type("Parser", (_Parser,), {"gate": staticmethod(gate)})
    error_task = type("ErrorTask", (_ErrorTask,), {"render": staticmethod(render), "headers": headers})
    return type("Channel", (_Channel,), {"parser_class": parser, "error_task_class": error_task})


def make_server(
    app: Any, listener: Any, max_bytes: int, max_header_bytes: int, address_of: Callable[[Any], str]
) -> Any:
    """Return a server on a bound socket; it answers once `run` is called. `max_bytes` is the limit of a body."""
    adjustments = waitress.server.Adjustments(
        sockets=[listener], connection_limit=MAX_CONNECTIONS, channel_timeout=IDLE_SECONDS,
        cleanup_interval=CLEANUP_SECONDS, max_request_body_size=max_bytes + 1,
        max_request_header_size=max_header_bytes, clear_untrusted_proxy_headers=False, ident="",
        asyncore_use_poll=hasattr(select, "poll"),
    )  # fmt: skip
    information = (listener.family, listener.type, listener.proto, listener.getsockname())
    return Server(
        app, {}, True, listener, dispatcher=RequestPools(address_of), adj=adjustments, bind_socket=False,
        sockinfo=information,
    )  # fmt: skip
