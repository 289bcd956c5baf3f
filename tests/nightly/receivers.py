"""A mail server and a web server on loopback that keep the notifications they receive."""

from __future__ import annotations

import email
import json
import socket
import threading
from email.message import EmailMessage
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bulkupdate.redaction import Secret
from bulkupdate.settings import Settings

PASSWORD = "correct horse"


class PostOffice:
    """A mail server that keeps its mails; `answers` are the first answers instead of success."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[bytes] = []
        self.answers: list[str] = []
        self.tries = 0
        self._controllers: list[Controller] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.tries += 1
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=modern))  # type: ignore[arg-type]
        return "250 OK"

    def check_login(self, _server: object, _session: object, _envelope: object, _kind: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.password)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def open(self, **options: Any) -> int:
        """Take mail from now on; gives the port."""
        with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd cannot choose one itself
            port = int(free.getsockname()[1])
        controller = Controller(self, hostname="127.0.0.1", port=port, **options)
        controller.start()
        self._controllers.append(controller)
        return port

    def close(self) -> None:
        """Take no more mail."""
        for controller in self._controllers:
            controller.stop()


class Listener:
    """An HTTP server that keeps posts and the paths of other requests; `answers` are its first statuses."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.posts: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.tries = 0
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.tries += 1
                status = listener.answers.pop(0) if listener.answers else 200
                if status == 200:
                    assert self.headers["Content-Type"] == "application/json"
                    listener.posts.append(json.loads(body))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(self.path.encode())  # some echo what they were asked

            def do_GET(self) -> None:
                listener.paths.append(self.path)
                self.send_response(listener.answers.pop(0) if listener.answers else 200)
                self.end_headers()
                self.wfile.write(self.path.encode())

            def log_message(self, *_: Any) -> None:
                """Not on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hooks/T0ken-of-the-hook"

    @property
    def settings(self) -> Settings:
        return Settings(webhook_url=Secret(self.address))

    def close(self) -> None:
        """Take no more posts."""
        self.server.shutdown()
        self.server.server_close()
