"""Goal 13: what the journal costs a row in a run, with `synchronous=FULL`: runs with it and without it, in turn."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Self

from benchmarks.delayed_server import serve_delayed
from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.sending import Sent, add_run, make_settings, send_run, time_sending
from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RowOutcome, Run, StatusCounts
from bulkupdate.sellercloud.client import open_client

IN_FLIGHT = 8


class _IdleJournal(Journal):
    """Hands out rows and writes nothing down: for this comparison only."""

    def record(self, *_arguments: Any, **_named: Any) -> None:
        """Nothing."""

    def tally(self, run: Run) -> StatusCounts:
        """Nothing is left, as far as this one knows."""
        return StatusCounts({Status.UPDATED: run.rows})


class _UnsyncedJournal(Journal):
    """Does not wait for the disk: for this comparison only."""

    def __enter__(self) -> Self:
        self.connection.execute("PRAGMA synchronous = OFF")
        return super().__enter__()


def measure(size: Size, _folder: Path) -> list[Figure]:
    """No latency, so that nothing hides the cost; a row's intent and outcome are two changes in two commits.

    The figure is a small difference of two large times, so it is measured in more turns than others.
    """
    rows, repeats = size.sent_rows // 2, 3 * size.repeats
    cpu: dict[type[Journal], list[float]] = defaultdict(list)

    def run(base_url: str, kind: type[Journal]) -> float:
        sent = _send(base_url, rows, kind)
        cpu[kind].append(sent.cpu_seconds / rows * 1000)
        return sent.seconds / rows * 1000

    with serve_delayed(0) as base_url, tempfile.TemporaryDirectory() as own:
        milliseconds = interleave(
            repeats,
            {
                "with": lambda: run(base_url, Journal),
                "without": lambda: run(base_url, _IdleJournal),
                "unsynced": lambda: run(base_url, _UnsyncedJournal),
                "alone": lambda: _time_alone(rows),
                "bare commit": lambda: _time_commits(Path(own) / "bare.sqlite3", rows),
            },
        )
    more_cpu = median(cpu[Journal]) - median(cpu[_IdleJournal])
    return [
        Figure(
            13,
            f"journal's cost of a row in a run, intent and outcome, no latency, {IN_FLIGHT} in flight, {rows:,} rows",
            milliseconds["with"] - milliseconds["without"],
            " ms",
            most=0.1,
            beside=f"a row took {milliseconds.say('with', ' ms')}, without journal "
            f"{milliseconds.say('without', ' ms')}, with a journal that does not wait for the disk "
            f"{milliseconds.say('unsynced', ' ms')}; processor time {more_cpu:.2f} ms more. Bare SQLite: a commit of "
            f"one row {milliseconds.say('bare commit', ' ms')}. The journal alone, {IN_FLIGHT} rows to a commit: "
            f"{milliseconds.say('alone', ' ms')} a row",
            limit=f"Of it, {milliseconds['with'] - milliseconds['unsynced']:.3f} ms is waiting for the disk. The rest "
            "is the commit's own work and, probably, the wait for the interpreter lock, which each step releases.",
        )
    ]


def _send(base_url: str, rows: int, kind: type[Journal]) -> Sent:
    clock, stop = Clock(), threading.Event()
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as own, kind(Path(own), clock) as journal:
        settings = make_settings(base_url, Path(own), IN_FLIGHT)
        client = open_client(settings, clock, stop)
        run = add_run(journal, rows)
        client.sign_in()
        sent = time_sending(rows, lambda: send_run(run, journal, client, settings, stop))
        client.close()
    return sent


def _time_alone(rows: int) -> float:
    """The outcomes of so many rows and the intents of the next, in each commit."""
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as own, Journal(Path(own), Clock()) as journal:
        run = add_run(journal, rows)
        started = time.perf_counter()
        pending = journal.pending(run)
        outcomes: list[RowOutcome] = []
        while intents := list(islice(pending, IN_FLIGHT)):
            journal.record(run, outcomes=outcomes, intents=intents)
            outcomes = [RowOutcome(row.number, Status.UPDATED, 200, 1, "", "") for row in intents]
        journal.record(run, outcomes=outcomes)
        return (time.perf_counter() - started) / rows * 1000


def _time_commits(path: Path, rows: int) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (row INTEGER PRIMARY KEY, status TEXT)")
        started = time.perf_counter()
        for row in range(rows):
            connection.execute("INSERT OR REPLACE INTO rows VALUES (?, 'updated')", (row,))
        return (time.perf_counter() - started) / rows * 1000


if __name__ == "__main__":
    run_program(measure)
