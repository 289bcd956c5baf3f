"""The real program, each call a fork of this warm process; on demand killed with SIGKILL at its n-th event.

Events are: a file opened or renamed in the call's folder, a statement of the journal about to be carried out and
carried out (commits among them), a request about to be sent, sent, and its answer received. They are counted by
subclasses of, and wrappers around, the real parts, which do all the work.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import importlib
import io
import json
import os
import resource
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bulkupdate.store.journal_file import JOURNAL_NAME


class Events:
    """Counts, and kills at `kill_at`."""

    def __init__(self, kill_at: int) -> None:
        self._kill_at = kill_at
        self._lock = threading.Lock()
        self.count = 0

    def happen(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def watch_journal(events: Events) -> None:
    class Watched(sqlite3.Connection):
        def execute(self, *given: Any) -> sqlite3.Cursor:
            events.happen()
            cursor = super().execute(*given)
            events.happen()
            return cursor

        def executemany(self, *given: Any) -> sqlite3.Cursor:
            events.happen()
            cursor = super().executemany(*given)
            events.happen()
            return cursor

    real = sqlite3.connect

    def connect(path: Any, **given: Any) -> sqlite3.Connection:
        return real(path, factory=Watched, **given) if JOURNAL_NAME in str(path) else real(path, **given)

    sqlite3.connect = connect  # type: ignore[assignment]


def watch_requests(events: Events) -> None:
    def around(real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def call(*given: Any, **named: Any) -> Any:
            events.happen()
            result = real(*given, **named)
            events.happen()
            return result

        return call

    for name in ("send", "getresponse"):
        setattr(http.client.HTTPConnection, name, around(getattr(http.client.HTTPConnection, name)))


def watch_files(events: Events, folder: str) -> None:
    def look(event: str, given: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename") and str(given[0]).startswith(folder):
            events.happen()

    sys.addaudithook(look)


def be_program(order: dict[str, Any]) -> None:
    """Run one command in this process, which ends with it."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, name in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(f"{order['folder']}/{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    if order["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"],) * 2)
    if order["kill_at"] is not None:
        events = Events(order["kill_at"])
        watch_journal(events)
        watch_requests(events)
        watch_files(events, order["folder"])
    from bulkupdate.cli.main import run_cli

    exec(order["patch"], {})  # the test's own
    code = run_cli(order["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def warm_up() -> None:
    """Check a sheet, so that what libraries load and build at their first use need not be paid by each call."""
    from bulkupdate.cli.main import SHORT_HELPS, run_cli

    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "customers.csv"
        sheet.write_text("CustomerId,Name,Email,Comments\n163,A,a@example.com,B\n")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run_cli(["check", str(sheet), "-o", f"{folder}/report.xlsx"])
    for command in SHORT_HELPS:
        importlib.import_module(f"bulkupdate.cli.commands.{command}")


def poll(child: int) -> int | None:
    """The exit code of a process that was started, negative for a signal; None while it is running."""
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def serve() -> None:
    """Carry out one order a line.

    A call is answered with its exit code, negative for a signal; a start with the id of its process, which later orders
    poll.
    """
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        if "poll" in order:
            answer = poll(order["poll"])
        elif (child := os.fork()) == 0:
            be_program(order)
        else:
            answer = child if order["is_start"] else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve()
