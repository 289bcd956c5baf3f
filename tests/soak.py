"""Two hours of quota time in a few minutes, on both stores: `make soak`.

Two schedulers that are killed now and then, a nightly folder and two users of the page share one quota, against a
service with faults. The clock of all processes, and of the service, runs faster than the machine's. At the end every
row must have arrived; memory and open files must not have grown, journal and logs not more than their rows.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import FIRST, write_csv
from tests.postgres import run_postgres
from tests.warm import WarmProcess, share_warm_program
from tests.web.served import Server, Visitor, path_of

QUOTA_SECONDS = 7200.0
REQUESTS_PER_HOUR = 1800
FAULTS = {
    "error-500": 0.02, "error-503": 0.02, "html-502": 0.01, "cut-before": 0.01, "cut-after": 0.01,
    "throttle-429": 0.002, "expired-token": 0.002,
}  # fmt: skip
USERS = {"username": "sandbox,anna,bert", "password": "sandbox"}
CUSTOMERS = 1000
"""How many customers each of those at work has for itself."""

_FAST = """
from tests.soak import FastClock
from bulkupdate import clock
for name in ("now", "monotonic", "wait"):
    setattr(clock.Clock, name, getattr(FastClock({began}, {speed}), name))
"""


class FastClock(Clock):
    """The machine's clock, faster since the moment `began`, in seconds since 1970."""

    def __init__(self, began: float, speed: float) -> None:
        self.began, self.speed = began, speed

    def now(self) -> float:
        return self.began + (time.time() - self.began) * self.speed

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return stop.wait(max(0.0, seconds) / self.speed)


@dataclass(frozen=True)
class Sample:
    """What was measured at one moment: of the page's server in MiB and numbers, of the state in bytes."""

    rows: int
    memory: float
    files: int
    threads: int
    journal: int
    log_of_journal: int
    logs: int


@dataclass
class Soak:
    """One store, and all that work on it. `values` are those that the customers must have at the end, by their id."""

    folder: Path
    database: Secret
    sandbox: Sandbox
    patch: str
    ends: float
    values: dict[int, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    kills: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def settings(self) -> dict[str, str]:
        given = {"requests_per_hour": str(REQUESTS_PER_HOUR), "concurrency": "4", "max_failures": "1000"}
        return given | ({"database": self.database.reveal()} if self.database else {})

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends

    def open_journal(self) -> Journal:
        return Journal(self.database or self.state, Clock())

    def write(self, path: Path, first: int, rows: int, word: str) -> Path:
        """Write a sheet, and note what must have arrived at the end."""
        lines = [(first + at, f"{word} {at}") for at in range(rows)]
        self.values |= dict(lines)
        return write_csv(path, [("CustomerId", "Name"), *lines])

    def call(self, *arguments: object) -> WarmProcess:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BULKUPDATE_")}
        own = {**self.settings, "base_url": self.sandbox.base_url, "username": "sandbox", "password": "sandbox",
               "state_dir": str(self.state)}  # fmt: skip
        environment |= {f"BULKUPDATE_{name.upper()}": value for name, value in own.items()}
        return share_warm_program().start(self.folder, environment, *arguments, patch=self.patch)

    def end(self, process: WarmProcess, chance: random.Random) -> None:
        """Wait until it ends, or kill it at some moment."""
        if chance.random() < 0.3:
            with suppress(Exception):
                process.wait(chance.uniform(0.05, 2))
            if process.poll() is None:
                process.kill()
                self.kills += 1
        process.wait(600)
        for path in (process.out, process.err):
            path.unlink(missing_ok=True)

    def schedule(self, first: int) -> None:
        """Send one sheet after the other; continue what was killed or failed until all is sent."""
        chance = random.Random(first)
        number = 0
        while not self.is_over:
            number += 1
            rows = chance.randint(10, 60)
            begin = first + chance.randrange(CUSTOMERS - rows)
            sheet = self.write(self.folder / f"{first}-{number}.csv", begin, rows, f"scheduled {number}")
            while (run := self.find_run(sheet)) is None:
                self.end(self.call("run", sheet, "--yes", "--quiet", "-o", self.folder / f"{first}.csv"), chance)
            while self.count_left(run):
                self.end(self.call("resume", run, "--yes", "--quiet"), chance)

    def find_run(self, sheet: Path) -> str | None:
        """The id of the run of this sheet; None if the journal knows none yet."""
        if not self.database and not self.state.exists():
            return None
        with self.open_journal() as journal:
            return next((head.id for head in journal.run_heads() if head.file == str(sheet)), None)

    def count_left(self, run: str) -> int:
        with self.open_journal() as journal:
            tally = journal.tally(journal.find_run(run))
        return tally.rows - tally.counts.get("updated", 0)

    def keep_nights(self, first: int) -> None:
        """A night each quarter of an hour; the last ones until the folder is empty."""
        chance = random.Random(first)
        inbox, working = self.folder / "nightly" / "inbox", self.folder / "nightly" / "working"
        inbox.mkdir(parents=True)
        number = 0
        while not self.is_over or list(inbox.iterdir()) or list(working.iterdir()):
            if not self.is_over:
                number += 1
                begin = first + 50 * number % CUSTOMERS
                self.write(self.folder / "new.csv", begin, 40, f"night {number}").rename(inbox / f"{number}.csv")
            self.end(self.call("nightly", inbox.parent, "--settle", "0", "--quiet"), chance)
            time.sleep(1)

    def sign_in(self, server: Server, user: str) -> Visitor:
        """Sign in; try again, as the page says, if the service has just failed."""
        visitor = Visitor(server.url)
        while (answer := visitor.sign_in(user, "sandbox")).status_code != 200:
            assert "Sellercloud is not answering" in answer.text, answer.text
            time.sleep(1)
        return visitor

    def use_page(self, server: Server, user: str, first: int) -> None:
        number = 0
        while not self.is_over:
            number += 1
            sheet = self.write(self.folder / f"{user}.csv", first + 20 * number % CUSTOMERS, 20, f"{user} {number}")
            path = ""
            while not path.startswith("/runs/"):  # half an hour without a page, after which a session ends, is a minute
                visitor = self.sign_in(server, user)
                run = visitor.start(visitor.upload(f"{number}.csv", sheet.read_bytes()))
                path = path_of(run)
            while "Every row went through" not in (page := visitor.wait_for_end(run, 600)).text:
                if "/sign-in" in page.url:
                    visitor = self.sign_in(server, user)
                else:
                    visitor.post(path + "/resume")
            time.sleep(1)

    def watch(self, server: Server) -> None:
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        while not self.is_over:
            time.sleep(2)
            with self.open_journal() as journal:
                rows = journal.select("SELECT count(*) FROM rows")[0][0]
                size = journal.select("SELECT pg_database_size(current_database())")[0][0] if self.database else 0
            paths = [path for path in self.state.rglob("*") if path.is_file()] + [server._log]
            sizes = {path.name: path.stat().st_size for path in paths if path.exists()}
            self.samples.append(
                Sample(
                    rows, process.memory_info().rss / 2**20, process.num_fds(), process.num_threads(),
                    size or sizes["journal.sqlite3"], sizes.get("journal.sqlite3-wal", 0),
                    sum(size for name, size in sizes.items() if name.endswith((".log", ".jsonl"))),
                )
            )  # fmt: skip


class FastServer(Server):
    """The page, by the clock of the soak."""

    patch = ""

    def _open(self, *call: str) -> WarmProcess:
        log = str(self._log)
        folder = self.state_dir.parent
        return share_warm_program().start(folder, self._environment, *call, out=log, err=log, patch=self.patch)


def run_soak(folder: Path, database: Secret, seconds: float) -> Soak:
    """Let all work side by side for these seconds, which are two hours for them, and until they have ended."""
    clock = FastClock(time.time(), QUOTA_SECONDS / seconds)
    options = SandboxOptions(
        customers=6 * CUSTOMERS, requests_per_hour=REQUESTS_PER_HOUR, faults=FAULTS, kept_requests=1000, **USERS
    )
    with Sandbox(options, clock=clock) as sandbox:
        patch = _FAST.format(began=clock.began, speed=clock.speed)
        soak = Soak(folder, database, sandbox, patch, time.monotonic() + seconds)
        server = FastServer(sandbox.base_url, soak.state, **soak.settings)
        server.patch = patch
        with server:
            begins = [FIRST + place * CUSTOMERS for place in range(5)]
            calls: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
                (soak.schedule, (begins[0],)), (soak.schedule, (begins[1],)), (soak.keep_nights, (begins[2],)),
                (soak.use_page, (server, "anna", begins[3])), (soak.use_page, (server, "bert", begins[4])),
                (soak.watch, (server,)),
            ]  # fmt: skip
            work(calls)
        check_customers(soak)
    return soak


def work(calls: list[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
    """Call all of them at once; raise what the first that failed has raised."""
    failed: list[BaseException] = []

    def call(function: Callable[..., None], given: tuple[Any, ...]) -> None:
        try:
            function(*given)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    threads = [threading.Thread(target=call, args=each) for each in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def check_customers(soak: Soak) -> None:
    """Every value has arrived, and the journal calls every row updated, but for runs that a kill left half written."""
    lost = [key for key, value in soak.values.items() if (soak.sandbox.customer(key) or {})["Name"] != value]
    assert not lost, f"lost: {lost}"
    with closing(soak.open_journal()) as journal:
        query = "SELECT status, count(*) FROM rows JOIN runs ON key = run WHERE state != 'loading' GROUP BY status"
        statuses = dict(journal.select(query))
    assert set(statuses) == {"updated"}, statuses


def report(soak: Soak) -> bool:
    """Print how the figures went from the first half to the second; return whether they are flat."""
    half = len(soak.samples) // 2
    first, second = soak.samples[half // 2 : half], soak.samples[half:]
    is_flat = True
    for name, allowed in (("memory", 10.0), ("files", 10), ("threads", 5), ("log_of_journal", 8 << 20)):
        before, after = (max(getattr(each, name) for each in part) for part in (first, second))
        is_flat &= (is_one := after <= 1.1 * before + allowed)
        print(f"  {name}: {before:,.0f} → {after:,.0f}{'' if is_one else ' GROWS'}")
    for name, allowed in (("journal", 0), ("logs", 10)):  # logs go with sheets and sign-ins, not with rows
        before, after = (getattr(part[-1], name) / part[-1].rows for part in (first, second))
        is_flat &= (is_one := after <= 1.1 * before + allowed)
        print(f"  {name}, bytes a row: {before:,.0f} → {after:,.0f}{'' if is_one else ' GROWS'}")
    return is_flat


@contextmanager
def make_stores() -> Iterator[dict[str, Secret]]:
    with run_postgres() as postgres:
        yield {"files": Secret(""), "PostgreSQL": postgres.make_database()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=8, help="for both stores together, without the end")
    seconds = parser.parse_args().minutes * 30
    is_flat = True
    with make_stores() as stores, tempfile.TemporaryDirectory() as root:
        for name, database in stores.items():
            (folder := Path(root) / name).mkdir()
            soak = run_soak(folder, database, seconds)
            rows, counts = soak.samples[-1].rows, soak.sandbox.counts
            print(f"{name}: {rows:,} rows, {soak.kills} kills, no row lost; the service counted {counts}", flush=True)
            is_flat &= report(soak)
    sys.exit(0 if is_flat else "not flat")


if __name__ == "__main__":
    main()
