"""A warm process that forks the program for each call: a process of its own every time, without the second to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]


class WarmProgram:
    """Calls the program in fresh processes, one after the other."""

    def __init__(self) -> None:
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
        order: dict[str, Any] = {
            "folder": str(folder), "arguments": [*map(str, arguments)], "environment": dict(environment),
            "kill_at": kill_at, "largest_file": largest_file,
        }  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
