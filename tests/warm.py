"""A warm process that forks the program for each call: a process of its own every time, without the second to start."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]


_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
"""What the page sets for its checks: here the libraries are loaded before it can."""


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

    def __init__(self) -> None:
        self._numbers = count()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_program"], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **_ONE_THREAD, "PYTHONPATH": str(PROJECT)},
        )  # fmt: skip

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
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


@functools.cache
def share_warm_program() -> WarmProgram:
    """The one of this test process."""
    warm = WarmProgram()
    atexit.register(warm.close)
    return warm
