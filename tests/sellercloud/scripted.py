"""A real HTTP server that answers by a script and records what it received; a clock whose hands a test turns."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings

USERNAME = "ops@example.com"
PASSWORD = "p/s+w ö&=rd'1"
TOKEN = "tok+en/secret=="


class TurnedClock(Clock):
    """Stands still but for waiting, which takes no time. Starts at the machine's hour."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()
        self.waits: list[float] = []

    def now(self) -> float:
        return self._now

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        with self._lock:
            self.waits.append(seconds)
            self._now += max(0.0, seconds)
        return stop.is_set()

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


@dataclass(frozen=True)
class Received:
    time: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def customer_id(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Reaction:
    """What the server does: an answer, a pause before it, or (status 0) closing the connection without one."""

    status: int = 200
    body: bytes | str | dict[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    pause: threading.Event | None = None
    raw: Callable[[Any], None] | None = None


Script = Callable[[Received], Reaction]

SIGNED_IN = Reaction(body={"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})


class ScriptedService:
    """Signs anyone in, and leaves each other request to `script`."""

    def __init__(self, script: Script, clock: Clock, sign_in: Script, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.clock = clock
        self.script = script
        self.sign_in = sign_in
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.handle(self, Received(service.clock.now(), self.command, self.path, dict(self.headers), body))

            do_GET = do_PUT = do_POST = _handle  # noqa: N815 - the names http.server asks for

            def date_time_string(self, timestamp: float | None = None) -> str:
                return formatdate(service.clock.now(), usegmt=True)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is meant
        scheme = "http" if tls is None else "https"
        self.base_url = f"{scheme}://127.0.0.1:{self._server.server_port}/rest/api"

    def handle(self, handler: BaseHTTPRequestHandler, request: Received) -> None:
        with self._lock:
            self.received.append(request)
        reaction = (self.sign_in if request.path.endswith("/token") else self.script)(request)
        if reaction.pause is not None:
            reaction.pause.wait(20)
        if reaction.raw is not None or reaction.status == 0:
            if reaction.raw is not None:
                reaction.raw(handler.connection)
            handler.close_connection = True
            return
        body = json.dumps(reaction.body) if isinstance(reaction.body, dict) else reaction.body
        data = body.encode() if isinstance(body, str) else body
        handler.send_response(reaction.status)
        for name, value in {"Content-Length": str(len(data)), **reaction.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    @property
    def puts(self) -> list[Received]:
        return [each for each in self.received if each.method == "PUT"]

    @property
    def sign_ins(self) -> list[Received]:
        return [each for each in self.received if each.path.endswith("/token")]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serve(
    script: Script | Reaction = Reaction(),
    *,
    sign_in: Script | Reaction = SIGNED_IN,
    clock: Clock | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[ScriptedService]:
    service = ScriptedService(_as_script(script), clock or Clock(), _as_script(sign_in), tls)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def _as_script(given: Script | Reaction) -> Script:
    return (lambda _: given) if isinstance(given, Reaction) else given


def in_turn(*reactions: Reaction) -> Script:
    """The first request gets the first reaction, and so on; the last one stays."""
    remaining = iter(reactions)
    lock = threading.Lock()
    last = reactions[-1]

    def script(_: Received) -> Reaction:
        with lock:
            return next(remaining, last)

    return script


@contextmanager
def connect(
    base_url: str,
    folder: Path,
    *,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    window_seconds: float = 3600.0,
    **settings: Any,
) -> Iterator[Client]:
    given = {
        "base_url": base_url, "username": USERNAME, "password": Secret(PASSWORD), "state_dir": folder,
        "timeout": 5.0, "requests_per_hour": 0, "retry_wait": 0.0, **settings,
    }  # fmt: skip
    client = open_client(Settings(**given), clock or Clock(), stop or threading.Event(), window_seconds=window_seconds)
    try:
        yield client
    finally:
        client.close()


def throttled(status: int = 429, reset: Any = None, **more: Any) -> Reaction:
    """The documented throttle answer (`docs/api.md`, section Quota)."""
    return Reaction(status, {"Error": "Too many requests.", "RateLimitResetTime": reset}, **more)


def net_time(seconds: float) -> str:
    """A time as .NET writes it, with seven fractional digits."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return re.sub(r"(\.\d{6})", r"\g<1>7", f"{moment:%Y-%m-%dT%H:%M:%S.%f}") + "Z"
