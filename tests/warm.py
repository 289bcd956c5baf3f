"""A warm process that forks the program for each call: a process of its own every time, without the second to start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]


def _make_order(
    folder: Path, environment: Mapping[str, str], arguments: Sequence[object], out: str, err: str
) -> dict[str, Any]:
    return {
        "folder": str(folder), "arguments": [*map(str, arguments)], "environment": dict(environment), "out": out,
        "err": err, "patch": "", "kill_at": None, "largest_file": None, "is_start": False,
    }  # fmt: skip


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
        self.wait(timeout)
        return self.out.read_text(), self.err.read_text()


class WarmProgram:
    """Calls the program in fresh processes, one after the other."""

    def __init__(self) -> None:
        self._numbers = count()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_program"], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )  # fmt: skip

    def call(
        self, folder: Path, environment: Mapping[str, str], *arguments: object, kill_at: int | None = None,
        largest_file: int | None = None,
    ) -> int:  # fmt: skip
        """The exit code, negative for a signal; what it wrote is in the files `out` and `err` of the folder.

        `kill_at` is the event at which it is killed, `largest_file` the bytes a file may grow to: None for neither.
        """
        order = _make_order(folder, environment, arguments, "out", "err")
        return int(self._ask({**order, "kill_at": kill_at, "largest_file": largest_file}))

    def start(
        self, folder: Path, environment: Mapping[str, str], *arguments: object, patch: str = ""
    ) -> WarmProcess:  # fmt: skip
        """Begin a call; `patch` is code that changes the program first."""
        number = next(self._numbers)
        out, err = f"out-{number}", f"err-{number}"
        order = _make_order(folder, environment, arguments, out, err)
        return WarmProcess(
            self, int(self._ask({**order, "patch": patch, "is_start": True})), folder / out, folder / err
        )

    def poll(self, pid: int) -> int | None:
        """The exit code of a process that was started, negative for a signal; None while it is running."""
        code = self._ask({"poll": pid})
        return None if code is None else int(code)

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
