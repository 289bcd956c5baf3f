"""The real program, each call a fork of a warm process; on demand killed with SIGKILL at its n-th event.

Events are: a file opened or renamed in the call's folder, a statement of the journal about to be carried out and
carried out (commits among them), a request about to be sent, sent, and its answer received. They are counted by
subclasses of, and wrappers around, the real parts, which do all the work.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import gc
import http.client
import importlib
import io
import json
import multiprocessing.util
import os
import resource
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from bulkupdate.__main__ import main
from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.warm import RUNNING, SOCKET

LOOK_SECONDS = 0.3
"""How often the warm process finds out whether it is still needed."""

MOST_IDLE_SECONDS = 60.0
"""After so long without a connection it ends, even if its socket is still there: killed tests do not remove it."""


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


def watch_database(events: Events) -> None:
    """The same for a journal in PostgreSQL."""
    from bulkupdate.store.postgres_connection import PostgresConnection

    for name in ("execute", "executemany"):
        setattr(PostgresConnection, name, around(events, getattr(PostgresConnection, name)))


def around(events: Events, real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def call(*given: Any, **named: Any) -> Any:
        events.happen()
        result = real(*given, **named)
        events.happen()
        return result

    return call


def watch_requests(events: Events) -> None:
    for name in ("send", "getresponse"):
        setattr(http.client.HTTPConnection, name, around(events, getattr(http.client.HTTPConnection, name)))


def watch_files(events: Events, folder: str) -> None:
    def look(event: str, given: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename") and str(given[0]).startswith(folder):
            events.happen()

    sys.addaudithook(look)


def open_streams(order: dict[str, Any]) -> None:
    """Replace the standard streams, which were set up for this warm process, by those of the call."""
    paths = [os.path.join(order["folder"], order[name]) for name in ("stdin", "out", "err")]  # noqa: PTH118 - strings
    for stream, path in enumerate(paths):
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND if stream else os.O_RDONLY
        opened = os.open(path, flags | os.O_NOCTTY, 0o600)
        os.dup2(opened, stream)
        os.close(opened)
    encoding = order["environment"].get("PYTHONIOENCODING", "utf-8")
    streams: list[Any] = [
        open(0, encoding=encoding, closefd=False),  # noqa: SIM115 - open as long as the process
        open(1, "w", encoding=encoding, closefd=False),  # noqa: SIM115
        open(2, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False),  # noqa: SIM115
    ]
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]  # they keep the others open


def fork_forkserver(_executable: bytes, arguments: list[str], kept: list[int]) -> int:
    """Be `multiprocessing.util.spawnv_passfds` for the server of forks, which then need not load the libraries.

    Tests of the page start many servers; those that must see the real one start a real process.
    """
    if "forkserver" not in arguments[-1]:
        return SPAWN(_executable, arguments, kept)
    if child := os.fork():
        return child
    try:
        before = 2
        for number in [*sorted(kept), os.sysconf("SC_OPEN_MAX")]:
            os.closerange(before + 1, number)
            before = number
        exec(arguments[-1], {})
    finally:
        os._exit(1)


MOST_PROCESSOR_SECONDS = 300
"""Stops a program that is stuck in a loop, such as one with a mutant, after its test has been killed."""

SPAWN = multiprocessing.util.spawnv_passfds


def fork_program(order: dict[str, Any]) -> int:
    """Begin a call; return its process id once it has its streams."""
    is_ready, ready = os.pipe()
    if (child := os.fork()) == 0:
        os.close(is_ready)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
        open_streams(order)
        os.close(ready)
        be_program(order)
    os.close(ready)
    os.read(is_ready, 1)  # nothing: until the other end is closed
    os.close(is_ready)
    return child


def be_program(order: dict[str, Any]) -> None:
    """Run one command in this process, which ends with it."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    multiprocessing.util.spawnv_passfds = fork_forkserver
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if order["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"], most))
    if order["kill_at"] is not None:
        events = Events(order["kill_at"])
        if "BULKUPDATE_DATABASE" in os.environ:
            watch_database(events)
        watch_journal(events)
        watch_requests(events)
        watch_files(events, order["folder"])
    exec(order["patch"], {})  # the test's own
    sys.argv = ["bulkupdate", *order["arguments"]]
    try:
        main()
    except SystemExit as ended:
        code = int(str(ended))
    sys.stdout.flush()
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # coverage, if it is measured, is written down now
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
    gc.freeze()  # so that forks copy less


def save_coverage() -> None:
    """Write down what this process has run so far, if that is measured: otherwise each fork would."""
    if (coverage := sys.modules.get("coverage")) and (measured := coverage.Coverage.current()):
        measured.save()


def poll(child: int) -> int | None:
    """The exit code of a process that was started, negative for a signal; None while it is running."""
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def serve(connection: socket.socket) -> None:
    """Carry out one order a line.

    A call is answered with its exit code, negative for a signal; a start with the id of its process, which later orders
    poll.
    """
    stream = connection.makefile("rw", encoding="utf-8")
    for line in stream:
        order = json.loads(line)
        if "poll" in order:
            answer = poll(order["poll"])
        else:
            child = fork_program(order)
            answer = child if order["is_start"] else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stream.write(json.dumps(answer) + "\n")
        stream.flush()


def serve_all(path: Path, lock: TextIO) -> None:
    """Fork this process to serve each connection, until the socket is removed or no client has been there for a while.

    Only this process holds `lock`: the forks close it without releasing it, which `FileLock` would do.
    """
    forks, idle_seconds = set[int](), 0.0
    with socket.socket(socket.AF_UNIX) as listener:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(LOOK_SECONDS)
        print(flush=True)  # noqa: T201 - tells the process that started it that it listens
        while path.exists() and idle_seconds < MOST_IDLE_SECONDS:
            if connection := accept(listener):
                forks.add(fork_session(connection, listener, lock))
                connection.close()
            forks = {fork for fork in forks if poll(fork) is None}
            idle_seconds = 0 if forks else idle_seconds + LOOK_SECONDS
        for fork in forks:
            os.waitpid(fork, 0)


def accept(listener: socket.socket) -> socket.socket | None:
    try:
        return listener.accept()[0]
    except TimeoutError:
        return None


def fork_session(connection: socket.socket, listener: socket.socket, lock: TextIO) -> int:
    """Serve a connection in a fork; return its process id."""
    if child := os.fork():
        return child
    try:
        listener.close()
        lock.close()
        serve(connection)
    finally:
        os._exit(0)


if __name__ == "__main__":
    given = Path(sys.argv[1])
    held = (given / RUNNING).open("w")  # until the process has ended, and written down its coverage
    fcntl.flock(held, fcntl.LOCK_EX)
    warm_up()
    save_coverage()
    serve_all(given / SOCKET, held)
