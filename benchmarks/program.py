"""The program as users start it: a process of its own, its time and its peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    """A process that has ended. `peak_mib` is the most memory it had at once."""

    exit_code: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    out: str
    err: str


def bulkupdate(*arguments: object, folder: Path, base_url: str = "", **settings: object) -> Ended:
    """Call the program with its state in `folder`; `settings` go into the environment: `concurrency=32`."""
    return python("-m", "bulkupdate", *arguments, environment=make_environment(folder, base_url, **settings))


def make_environment(folder: Path, base_url: str, **settings: object) -> dict[str, str]:
    """The environment of the program: nothing of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BULKUPDATE_")}
    given = {
        "base_url": base_url, "username": "sandbox", "password": "sandbox", "state_dir": folder / "state", **settings,
    }  # fmt: skip
    return kept | {f"BULKUPDATE_{name.upper()}": str(value) for name, value in given.items() if value != ""}


def python(*arguments: object, environment: dict[str, str] | None = None) -> Ended:
    """Run Python with these arguments to its end. Raises `RuntimeError` where it fails (exit code above 1).

    What it loads is compiled only once, as an installed program is, even if the environment forbids to keep that.
    """
    environment = {**(os.environ if environment is None else environment)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)], cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL,
            stdout=out, stderr=err,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [(stream.seek(0), stream.read().decode())[1] for stream in (out, err)]
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{arguments} ended with {process.returncode}: {texts[1][-2000:]}")
    return Ended(process.returncode, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, texts[0], texts[1])
