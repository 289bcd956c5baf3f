"""Goal 20: how long another run of the same state folder waits while a million rows are written down."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Size, run_program
from benchmarks.sending import add_run
from bulkupdate.clock import Clock
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import NewRun, RunOptions

_PAUSE_SECONDS = 0.002


def measure(size: Size, _folder: Path) -> list[Figure]:
    """One process writes the rows down; this one commits all the while, as a run that is being sent does."""
    rows = size.huge_sheet_rows
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as own, Journal(Path(own), Clock()) as journal:
        run = add_run(journal, 2)
        loader = multiprocessing.get_context("spawn").Process(target=_write_down, args=(Path(own), rows))
        start = time.monotonic()
        loader.start()
        waits = []
        while loader.is_alive():
            before = time.monotonic()
            journal.record(run, calls=1)
            waits.append(time.monotonic() - before)
            time.sleep(_PAUSE_SECONDS)
        seconds = time.monotonic() - start
    return [
        Figure(
            20,
            f"longest wait of another run's commit while {rows:,} rows are written down",
            max(waits),
            " s",
            most=1.0,
            beside=f"writing them down took {seconds:.1f} s; the other run made {len(waits):,} commits meanwhile",
            limit="Rows are written a few thousand to a commit, and writers take turns in the order they ask.",
        )
    ]


def _write_down(folder: Path, count: int) -> None:
    new = NewRun(
        "20260114-093849-bbbbbbbb",
        "big.csv",
        "",
        "host",
        "user",
        ("CustomerId", "Name"),
        RunOptions(),
        {},
        "r.csv",
        None,
    )
    with Journal(folder, Clock()) as journal:
        journal.add_run(new, _make_rows(count))


def _make_rows(count: int) -> Iterator[CheckedRow]:
    for number in range(count):
        body = f'{{"Name": "Customer {number}"}}'
        yield CheckedRow(number + 2, str(100_000 + number), Status.NOT_ATTEMPTED, body, ("Name",), ("x", "y"))


if __name__ == "__main__":
    run_program(measure)
