"""The real server in its own process, and a user without a browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from bulkupdate.redaction import Secret
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.accounts.sessions import Session
from tests.postgres import database_variable
from tests.warm import WarmProcess, share_warm_program

PASSWORD = "geheim & 100%"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("BULKUPDATE_")}

_OFTEN = "from bulkupdate.web.server import background; background.SCHEDULE_SECONDS = 0.1"
"""The server looks often for what is due, so that tests of schedules need not wait for the next time."""


class Server:
    """`bulkupdate serve`; after `kill` it can be started again on the same port and state folder.

    It is forked from a warm process; `FreshServer` starts as the user's.
    """

    def __init__(self, base_url: str, state_dir: Path, *options: str, **settings: str) -> None:
        self.state_dir = state_dir
        self.port = 0
        self.machine = ""
        self.lines: list[str] = []
        self._options = options
        self._environment = {
            **CLEAN, "BULKUPDATE_BASE_URL": base_url, "BULKUPDATE_STATE_DIR": str(state_dir),
            **database_variable(state_dir),
            **{f"BULKUPDATE_{name.upper()}": value for name, value in settings.items()},
        }  # fmt: skip
        self._log = state_dir.parent / f"{state_dir.name}-server.log"
        self.process: subprocess.Popen[bytes] | WarmProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def start(self) -> Server:
        size = self._log.stat().st_size if self._log.exists() else 0
        self.process = self._open("serve", "--port", str(self.port), *self._options)
        deadline = time.monotonic() + 30
        while not (found := re.search(r"Upload page: http://[^/]+:(\d+)/", self.log[size:])):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        self.port = int(found[1])
        return self

    def _open(self, *call: str) -> subprocess.Popen[bytes] | WarmProcess:
        log = str(self._log)
        named = f"import socket; socket.gethostname = lambda: {self.machine!r}" if self.machine else ""
        return share_warm_program().start(
            self.state_dir.parent, self._environment, *call, out=log, err=log, patch=f"{_OFTEN}\n{named}"
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it with SIGTERM, as a service manager does; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class FreshServer(Server):
    """Loads its libraries itself, and starts a process that loads those of the checks."""

    def _open(self, *call: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bulkupdate", *call]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, env=self._environment, stderr=log, stdout=log, cwd=self.state_dir.parent
            )  # fmt: skip


class Visitor:
    """A user without a browser: forms are sent with their token, redirects are followed."""

    def __init__(self, url: str, username: str | None = None, password: str = PASSWORD) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        if username is not None:
            answer = self.sign_in(username, password)
            assert answer.status_code == 200, answer.text

    def sign_in(self, username: str, password: str = PASSWORD, **fields: str) -> requests.Response:
        return self.post("/sign-in", at="/sign-in", username=username, password=password, **fields)

    def get(self, path: str, **given: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, **given)

    def token(self, path: str = "/") -> str:
        found = _TOKEN.search(self.get(path).text)
        assert found is not None
        return found[1]

    def post(self, path: str, *, at: str = "/", files: Any = None, **fields: str | list[str]) -> requests.Response:
        """Send a form, with a field for each of a list; if that starts a check, wait until it is over."""
        data = {"csrf_token": self.token(at), **fields}
        return self._wait_for_check(self.session.post(self.url + path, data, files=files, timeout=30))

    def upload(self, name: str, content: bytes, **fields: str) -> requests.Response:
        return self.post("/sheets", files={"sheet": (name, content)}, **fields)

    def _wait_for_check(self, answer: requests.Response) -> requests.Response:
        return self._wait_while("<h1>Checking", answer)

    def _wait_while(self, text: str, answer: requests.Response) -> requests.Response:
        deadline = time.monotonic() + 60
        while text in answer.text:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.03)
            answer = self.session.get(answer.url, timeout=30)
        return answer

    def start(self, checked: requests.Response, **fields: str) -> requests.Response:
        """Press the button that sends, and confirm the number of customers; return the page of the run."""
        fields = {"confirmed": "1", **fields}
        if seen := re.search(r'name="plan" value="(\w+)"', self.get(path_of(checked)).text):
            fields = {"plan": seen[1], **fields}
        return self.wait_for_work(self.post(path_of(checked) + "/start", **fields))

    def wait_for_work(self, answer: requests.Response) -> requests.Response:
        """Wait until the page no longer refreshes itself: what it waited for is over."""
        return self._wait_while('<meta http-equiv="refresh" content="2;', answer)

    def wait_for(self, text: str, answer: requests.Response) -> requests.Response:
        """Wait until the page of this answer has that text."""
        deadline = time.monotonic() + 60
        while text not in answer.text:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.02)
            answer = self.get(path_of(answer))
        return answer

    def wait_for_end(self, run: requests.Response, seconds: float = 30) -> requests.Response:
        deadline = time.monotonic() + seconds
        while 'data-running="yes"' in (answer := self.get(path_of(run))).text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return answer


def make_session(username: str = "ann", password: str = PASSWORD, host: str = "127.0.0.1") -> Session:
    """Return a session that no server has opened."""
    return Session("id", username, username, Secret(password), host, "", "", started=0.0, seen=0.0, checked=0.0)


def path_of(answer: requests.Response) -> str:
    """Return `/sheets/…` or `/runs/…` of an answer."""
    return re.sub(r"^http://[^/]+|[?#].*$", "", answer.url)


def make_csv(rows: int, *, bad_every: int = 0, first_id: int = 100_001, name: str = "New") -> bytes:
    """Return a sheet with this many rows; each `bad_every`-th has an invalid e-mail address."""
    lines = ["CustomerId,Name,Email"]
    for place in range(rows):
        is_bad = bad_every and place % bad_every == 0
        lines.append(f"{first_id + place},{name} {place},{'no address' if is_bad else f'a{place}@example.com'}")
    return ("\n".join(lines) + "\n").encode()


def sent_customers(sandbox: Sandbox) -> list[int]:
    """Return the ids of the customers that were updated, once for each request."""
    return [int(request.customer_id) for request in sandbox.requests if request.method == "PUT"]


def count_updates(sandbox: Sandbox) -> int:
    """Return the number of update requests."""
    return len(sent_customers(sandbox))
