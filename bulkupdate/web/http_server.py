"""The HTTP server: waitress, its limits, and its shutdown."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import waitress.server
from flask import Flask
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from bulkupdate.errors import UsageError
from bulkupdate.web.page_context import EXTENSION, PageContext
from bulkupdate.web.security import SECURITY_HEADERS

THREADS = 16
CONNECTIONS = 300
IDLE_CONNECTION_SECONDS = 60
LARGEST_HEADERS_BYTES = 64 << 10
PRIVATE_UMASK = 0o077


class _PlainErrorTask(ErrorTask):
    """The answer to a request that never reaches the application (too large, malformed)."""

    def execute(self) -> None:
        error: Any = getattr(self.request, "error")  # noqa: B009  # the stubs do not name it
        body = f"{error.code} {error.reason}\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers = [
            *self.response_headers,
            ("Content-Type", "text/plain; charset=utf-8"),
            *SECURITY_HEADERS.items(),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    error_task_class = _PlainErrorTask


def serve(app: Flask, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; then stop all runs, so that each can be resumed. `on_ready` gets the address.

    Raises `UsageError` if the address cannot be used.
    """
    context: PageContext = app.extensions[EXTENSION]
    os.umask(PRIVATE_UMASK)
    _log_to_stderr()
    listener = _bind(host, port)
    server: Any = waitress.server.create_server(
        app, sockets=[listener], threads=THREADS, connection_limit=CONNECTIONS, channel_timeout=IDLE_CONNECTION_SECONDS,
        max_request_body_size=context.settings.upload_bytes + 1, max_request_header_size=LARGEST_HEADERS_BYTES,
        clear_untrusted_proxy_headers=False, asyncore_use_poll=True, ident="",
    )  # fmt: skip
    server.channel_class = _Channel
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    context.start()
    shown = f"[{host}]" if ":" in host else host
    on_ready(f"http://{shown}:{listener.getsockname()[1]}/")
    try:
        server.run()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # a second one ends at once; the journal is always consistent
        context.close()
        server.close()


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"The page cannot be served at {host}, port {port}: {getattr(error, 'strerror', None) or error}.",
            remedy="Choose another port: --port 8001.",
        ) from error


def _log_to_stderr() -> None:
    """Log times, run ids and counts; no cell contents and no user names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("bulkupdate.web", "waitress"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(logging.INFO if name == "bulkupdate.web" else logging.ERROR)
