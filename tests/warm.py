"""A warm process that forks the program for each call: a process of its own every time, without the second to start."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

PROJECT = Path(__file__).parents[1]

SHARED_AT = "TESTS_WARM_PROGRAM"
"""The variable that names the folder of the warm process, which all processes of a pytest session share."""

SOCKET, RUNNING = "socket", "running"
"""Files in that folder. The warm process holds a lock on the second one until it has ended."""

MOST_SECONDS_TO_END = 10.0

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
"""What the page sets for its checks: here the libraries are loaded before it can."""

_open = contextlib.ExitStack()


@dataclass
class WarmProcess:
    """A call that was started, with what tests use of `subprocess.Popen`."""

    warm: WarmProgram
    pid: int
    out: Path
    err: Path
    returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self.warm.poll(self.pid)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 60) -> int:
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return code

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """What it wrote, once it has ended; nothing of what a terminal showed."""
        self.wait(timeout)
        out, err = (path.read_text() if path.is_file() else "" for path in (self.out, self.err))
        return out, err


class WarmProgram:
    """Calls the program in fresh processes. Thread-safe."""

    def __init__(self, connection: socket.socket) -> None:
        self._numbers = count()
        self._lock = threading.Lock()
        self._connection = connection
        self._stream = connection.makefile("rw", encoding="utf-8")

    def call(
        self, folder: Path, environment: Mapping[str, str], *arguments: object, kill_at: int | None = None,
        largest_file: int | None = None, patch: str = "",
    ) -> int:  # fmt: skip
        """The exit code, negative for a signal; what it wrote is in the files `out` and `err` of the folder.

        `kill_at` is the event at which it is killed, `largest_file` the bytes a file may grow to: None for neither.
        `patch` is code that changes the program first.
        """
        for name in ("out", "err"):
            (folder / name).unlink(missing_ok=True)
        return int(self._order(
            folder, environment, arguments, out="out", err="err", kill_at=kill_at, largest_file=largest_file,
            patch=patch,
        ))  # fmt: skip

    def start(
        self, folder: Path, environment: Mapping[str, str], *arguments: object, patch: str = "",
        out: str | None = None, err: str | None = None, stdin: str = os.devnull,
    ) -> WarmProcess:  # fmt: skip
        """Begin a call. `patch` is code that changes the program first; the streams are files or terminals.

        What is written is appended to `out` and `err`: None for a new file.
        """
        number = next(self._numbers)
        out, err = out or f"out-{number}", err or f"err-{number}"
        pid = self._order(folder, environment, arguments, out=out, err=err, stdin=stdin, patch=patch, is_start=True)
        return WarmProcess(self, int(pid), folder / out, folder / err)

    def poll(self, pid: int) -> int | None:
        """The exit code of a process that was started, negative for a signal; None while it is running."""
        code = self._ask({"poll": pid})
        return None if code is None else int(code)

    def _order(
        self, folder: Path, environment: Mapping[str, str], arguments: Sequence[object], **given: object
    ) -> Any:  # fmt: skip
        usual = {"stdin": os.devnull, "patch": "", "kill_at": None, "largest_file": None, "is_start": False}
        words = [*map(str, arguments)]
        return self._ask(
            {**usual, "folder": str(folder), "arguments": words, "environment": dict(environment), **given}
        )

    def _ask(self, order: dict[str, Any]) -> Any:
        with self._lock:
            self._stream.write(json.dumps(order) + "\n")
            self._stream.flush()
            answer = self._stream.readline()
        assert answer, "the warm process has ended"
        return json.loads(answer)

    def close(self) -> None:
        self._stream.close()
        self._connection.close()


@functools.cache
def share_warm_program() -> WarmProgram:
    """The one of this test process: a fork of the warm process that all of them share."""
    warm = WarmProgram(_connect())
    _open.callback(warm.close)
    return warm


def begin_sharing() -> None:
    """Name the folder of the warm process to this process and those that it starts, unless another has."""
    if SHARED_AT not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="bulkupdate-warm-"))
        os.environ[SHARED_AT] = str(folder)
        _open.callback(_end_warm_process, folder)
        atexit.register(end_sharing)


def end_sharing() -> None:
    """End the warm process, if this process has named its folder, and wait until it has written down its coverage."""
    share_warm_program.cache_clear()
    _open.close()


def _end_warm_process(folder: Path) -> None:
    del os.environ[SHARED_AT]
    (folder / SOCKET).unlink(missing_ok=True)
    with contextlib.suppress(Timeout), FileLock(folder / RUNNING, timeout=MOST_SECONDS_TO_END):
        pass  # a killed test may have left a program running, which is not waited for
    shutil.rmtree(folder)


def _connect() -> socket.socket:
    """Connect to the warm process; start it if no other test process has."""
    begin_sharing()
    folder = Path(os.environ[SHARED_AT])
    connection = socket.socket(socket.AF_UNIX)
    with FileLock(folder / "starting"):
        with contextlib.suppress(OSError):
            connection.connect(str(folder / SOCKET))
            return connection
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_program", str(folder)], cwd=PROJECT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, env={**os.environ, **_ONE_THREAD, "PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
        assert process.stdout
        process.stdout.readline()  # once it listens
        connection.connect(str(folder / SOCKET))
        return connection
