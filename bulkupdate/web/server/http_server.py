"""The HTTP server: its address, its signals, its log, and its shutdown."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from flask import Flask

from bulkupdate.errors import UsageError
from bulkupdate.network import describe_bind_error
from bulkupdate.runs.cancellation import STOP_SIGNALS
from bulkupdate.web.page_context import EXTENSION, PageContext
from bulkupdate.web.security import SECURITY_HEADERS
from bulkupdate.web.server.background import close_services, start_services
from bulkupdate.web.server.connections import make_channel_class, make_server
from bulkupdate.web.server.heap import keep_heap_small
from bulkupdate.web.server.request_gate import make_gate

MAX_HEADER_BYTES = 64 << 10
PRIVATE_UMASK = 0o077


def serve(app: Flask, host: str, port: int, on_ready: Callable[[str], None], *, trust_proxy: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C; then stop all runs, so that each can be resumed. `on_ready` gets the address.

    `trust_proxy`: the client's address is what the proxy says. Raises `UsageError` if the address cannot be used.
    """
    context: PageContext = app.extensions[EXTENSION]
    keep_heap_small()
    os.umask(PRIVATE_UMASK)
    _log_to_stderr()
    listener = _bind(host, port)
    server = make_server(
        app, listener, context.settings.upload_bytes, MAX_HEADER_BYTES,
        _find_proxied_address if trust_proxy else _find_address,
    )  # fmt: skip
    server.channel_class = make_channel_class(make_gate(app, context), _make_renderer(app), SECURITY_HEADERS)
    for number in STOP_SIGNALS:
        signal.signal(number, _exit)
    start_services(context)
    shown = f"[{host}]" if ":" in host else host
    on_ready(f"http://{shown}:{listener.getsockname()[1]}/")
    try:
        server.run()
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)  # a second one ends at once; the journal is always consistent
        close_services(context)
        server.close()


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit


def _find_address(channel: Any) -> str:
    return str(channel.addr[0])


def _find_proxied_address(channel: Any) -> str:
    """Return the last address of X-Forwarded-For, which is the one that our own proxy has seen."""
    forwarded = channel.requests[0].headers.get("X_FORWARDED_FOR", "")
    return forwarded.rpartition(",")[2].strip() or _find_address(channel)


def _make_renderer(app: Flask) -> Callable[[int, str, str], str]:
    template = app.jinja_env.get_template("refusal.html")

    def render(status: int, title: str, message: str) -> str:
        return template.render(status=status, title=title, message=message)

    return render


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"The page cannot be served at {host}, port {port}: {describe_bind_error(error)}.",
            remedy="Choose another port, such as --port 8001, or another --host.",
        ) from error


def _log_to_stderr() -> None:
    """Log times, run ids and counts; no cell contents and no user names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("bulkupdate.web", "waitress"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(logging.INFO if name == "bulkupdate.web" else logging.ERROR)
