"""What whole-program tests share: a sandbox, and the program as a process of its own with its own state folder."""

from __future__ import annotations

import csv
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.sandbox.faults import FaultSchedule
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.postgres import database_variable
from tests.warm import PROJECT, WarmProcess, WarmProgram, begin_sharing, end_sharing, share_warm_program

MEMORY = Path("/dev/shm")
ROOM_IN_MEMORY = 4 * 2**30


def pytest_configure() -> None:
    """Let the programs that tests start be interrupted, though a shell may have started the tests in the background.

    Keep the folders of the tests in memory if there is room: journals wait for the disk at every request, and the
    processes that tests kill lose nothing that they have written to either. Name the folder of the warm process to the
    test processes that are about to be started.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_IN_MEMORY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    begin_sharing()
    gc.disable()


def pytest_unconfigure() -> None:
    """End the warm process here, not at exit: `make mutants` ends its processes with `os._exit`."""
    end_sharing()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for garbage only once all is loaded, and not among that: it took a third of the time to load the tests."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


FIRST = 100_001
"""Id of the sandbox's first customer."""


@dataclass(frozen=True)
class Finished:
    """A call of the program that has ended; `told` is the object of `--json`, None where there is none."""

    exit_code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out) if self.out.strip() else None

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.told["counts"])


class Program:
    """The program as people start it, with `--json`, in a folder of its own."""

    def __init__(self, base_url: str, folder: Path, warm: WarmProgram) -> None:
        self.folder = folder
        self._warm = warm
        self.state = folder / "state"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BULKUPDATE_")}
        self.environment = {
            **kept, "PYTHONPATH": str(PROJECT), "BULKUPDATE_BASE_URL": base_url, "BULKUPDATE_USERNAME": "sandbox",
            "BULKUPDATE_PASSWORD": "sandbox", "BULKUPDATE_STATE_DIR": str(self.state), "BULKUPDATE_RETRY_WAIT": "0.01",
            **database_variable(self.state),
        }  # fmt: skip

    def start(self, *arguments: object, json: bool = True, **settings: object) -> subprocess.Popen[str]:
        """Begin a call; `settings` are added to the environment: `concurrency=4`."""
        return self._open(["-m", "bulkupdate", *_add_json(arguments, json)], settings)

    def fork(
        self, *arguments: object, json: bool = True, patch: str = "", stdin: str = os.devnull, **settings: object
    ) -> WarmProcess:
        """Begin a call like `start`, without the second that loading takes.

        `patch` is code that changes the program first, `stdin` the path of a file.
        """
        environment = self._add_settings(settings)
        return self._warm.start(self.folder, environment, *_add_json(arguments, json), patch=patch, stdin=stdin)

    def start_code(self, code: str, *arguments: object, **settings: object) -> subprocess.Popen[str]:
        """Begin a script of Python's that has the program's environment."""
        return self._open(["-c", code, *map(str, arguments)], settings)

    def _open(self, command: list[str], settings: dict[str, object]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=self._add_settings(settings), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __call__(
        self, *arguments: object, json: bool = True, largest_file: int | None = None, **settings: object
    ) -> Finished:
        """Call and wait for its end. `largest_file` is the bytes that a file may grow to, None for no limit."""
        code = self._warm.call(
            self.folder, self._add_settings(settings), *_add_json(arguments, json), largest_file=largest_file
        )
        return Finished(code, (self.folder / "out").read_text(), (self.folder / "err").read_text())

    def _add_settings(self, settings: dict[str, object]) -> dict[str, str]:
        return self.environment | {f"BULKUPDATE_{name.upper()}": str(value) for name, value in settings.items()}


def _add_json(arguments: Sequence[object], json: bool) -> list[str]:
    return [*map(str, arguments), *(["--json"] if json else [])]


def finish(process: subprocess.Popen[str] | WarmProcess, seconds: float = 60) -> Finished:
    """Wait for a call to end."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Finished(process.returncode, out, err)


def write_sheet(path: Path, rows: int, *, first: int = FIRST, word: str = "row") -> Path:
    """A CSV file of so many customers, each with values of its own."""
    lines = [[first + at, f"{word} {at}", f"{word}-{at}@example.com", "", f"a, {word};\n{at}"] for at in range(rows)]
    return write_csv(path, [["CustomerId", "Name", "Email", "Fax", "Comments"], *lines])


def write_csv(path: Path, lines: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    return path


def read_results(path: Path) -> list[dict[str, str]]:
    """The lines of results written as CSV."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def find_puts(sandbox: Sandbox, *, after: int = 0) -> list[str]:
    """The customers of the updates received, in their order, of the requests after that number."""
    return [each.customer_id for each in sandbox.requests if each.kind == "write" and each.number > after]


def wait_until(is_true: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that another process or thread does."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def make_sandbox() -> Iterator[Any]:
    """Start sandboxes of any options, stopped at the end of the test."""
    with ExitStack() as stack:

        def make(plan: FaultSchedule | None = None, **options: Any) -> Sandbox:
            given = {"customers": 3000, "requests_per_hour": 0, **options}
            return stack.enter_context(Sandbox(SandboxOptions(**given), plan=plan))

        yield make


@pytest.fixture
def sandbox(make_sandbox: Any) -> Sandbox:
    """A running sandbox without trouble."""
    running: Sandbox = make_sandbox()
    return running


@pytest.fixture(scope="session")
def warm_program() -> WarmProgram:
    return share_warm_program()


@pytest.fixture
def run_program(sandbox: Sandbox, tmp_path: Path, warm_program: WarmProgram) -> Program:
    """Calls the program against `sandbox`, in the test's own folder."""
    return Program(sandbox.base_url, tmp_path, warm_program)
