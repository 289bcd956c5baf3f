"""A folder, a state folder and a sandbox for nights, which run in this process or as the real program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.night_options import NightOptions
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.nightly.night_runner import Night, run_night
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.redaction import Secret
from bulkupdate.remote.address import Address
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.settings import Settings
from tests.postgres import database_of, database_variable
from tests.warm import WarmProcess, share_warm_program

FIRST = 100_001
SUBFOLDERS = ("inbox", "working", "done", "failed")


@dataclass
class NightEnvironment:
    """One nightly folder with its state folder, processed against `sandbox`."""

    root: Path
    sandbox: Sandbox
    given: dict[str, Any] = field(default_factory=dict)
    reports: list[FileReport] = field(default_factory=list)
    report: NightReport | None = None
    metrics_file: Path | None = None

    def __post_init__(self) -> None:
        (self.folder / "inbox").mkdir(parents=True)
        database_of(self.state)  # making it takes a while, which is no part of a night

    @property
    def folder(self) -> Path:
        return self.root / "folder"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def settings(self) -> Settings:
        given = {
            "base_url": self.sandbox.base_url, "username": "sandbox", "password": Secret("sandbox"),
            "state_dir": self.state, "database": database_of(self.state), "retry_wait": 0.01, **self.given,
        }  # fmt: skip
        return Settings(**given)

    def put(self, name: str, text: str, age: float = 0.0) -> Path:
        """A file in the inbox, `age` seconds old."""
        path = self.folder / "inbox" / name
        path.write_text(text, encoding="utf-8")
        then = Clock().now() - age
        os.utime(path, (then, then))
        return path

    def night(
        self,
        clock: Clock | None = None,
        stop: Cancellation | None = None,
        root: Path | None = None,
        remote: Address | None = None,
        **options: Any,
    ) -> ExitCode:
        """Run one night in this process; its report is in `report`, those of its files in `reports`.

        `root` stands for the folder `remote`, if there is one.

        An error that ends the night is raised, once it was reported.
        """
        clock, stop, self.reports = clock or Clock(), stop or Cancellation(), []
        self.report = run_night(
            Night(
                root=root or self.folder,
                remote=remote,
                settings=self.settings,
                options=NightOptions(**{"settle_seconds": 0.0, **options}),
                clock=clock,
                stop=stop,
                notifier=Notifier(self.settings, clock, stop, first_wait=0.01),
                on_report=self.reports.append,
                explain_bug=reraise,
                metrics_file=self.metrics_file,
            )
        )
        if self.report.error is not None:
            raise self.report.error
        return self.report.exit_code

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "bulkupdate", "nightly", str(self.folder), "--settle", "0.3", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        names = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {
            **kept, "BULKUPDATE_BASE_URL": self.sandbox.base_url, "BULKUPDATE_USERNAME": "sandbox",
            "BULKUPDATE_PASSWORD": "sandbox", "BULKUPDATE_STATE_DIR": str(self.state),
            "BULKUPDATE_RETRY_WAIT": "0.01", **database_variable(self.state), **more,
        }  # fmt: skip

    def call(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one night as the real program, to its end."""
        process = self.start(*arguments, **more)
        out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.wait(), out, err)

    def start(self, *arguments: str, **more: str) -> WarmProcess:
        """Start one night as the real program."""
        command = self.command(*arguments)[3:]
        return share_warm_program().start(self.root, self.environment(**more), *command)

    def places(self) -> dict[str, list[str]]:
        """The names of the files in each subfolder, without run ids."""
        return {place: sorted(map(bare, (self.folder / place).glob("*"))) for place in SUBFOLDERS}

    def summary(self, name: str) -> Any:
        """The newest JSON summary of the file of that name, without its ending."""
        return json.loads(sorted((self.folder / "reports").glob(f"*-{name}.json"))[-1].read_text())

    def puts(self) -> Counter[str]:
        """How often each customer was updated."""
        return Counter(each.customer_id for each in self.sandbox.requests if each.method == "PUT")


def reraise(error: BaseException) -> BulkUpdateError:
    """A bug in the program fails the test."""
    raise error


def bare(path: Path) -> str:
    """The original name of the file."""
    return path.name[25:] if path.parent.name != "inbox" else path.name


def sheet(ids: Sequence[int], value: str = "Ann") -> str:
    """A good CSV for these customers."""
    return "CustomerId,Name\n" + "".join(f"{each},{value}\n" for each in ids)


BAD = "CustomerId,IsWholesale\n100001,perhaps\n"
"""A sheet with an invalid row."""
