"""Goal 2: last night's list again with one customer in a hundred changed, and `--since-last`.

The first night is written into the journal as a run would have written it, answer by answer, without a service: sending
100,000 updates to a sandbox written in Python takes minutes and shows nothing more.
"""

from __future__ import annotations

import json
import tempfile
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.figures import Figure, Size, run_program
from benchmarks.program import bulkupdate
from benchmarks.sheets import FIRST_ID, change_some, count_changed, obtain_sheet
from bulkupdate.clock import Clock, format_duration, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.runs.input_file import SheetOptions, load_input_file
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import NewRun, RowOutcome, RunOptions, RunState
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings

HOURLY = 10_800


def measure(size: Size, folder: Path) -> list[Figure]:
    """Once: a count does not vary."""
    rows = size.nightly_rows
    sheet = obtain_sheet(folder, rows, ".csv")
    options = SandboxOptions(customers=rows, first_customer_id=FIRST_ID)
    with Sandbox(options) as sandbox, tempfile.TemporaryDirectory() as own:
        _write_first_night(Path(own) / "state", sheet, urlsplit(sandbox.base_url).netloc)
        tonight = change_some(sheet, Path(own) / "tonight.csv")
        results = Path(own) / "results.csv"
        ended = bulkupdate(
            "run", tonight, "--yes", "--since-last", "-o", results, "--json",
            folder=Path(own), base_url=sandbox.base_url,
        )  # fmt: skip
        requests, writes = (int(str(sandbox.counts[name])) for name in ("requests", "writes"))
    changed = count_changed(rows)
    with_others = _measure_with_others(rows, sheet)
    plain = format_duration((rows + 1) / HOURLY * 3600)
    return [
        with_others,
        Figure(
            2,
            f"calls for {rows:,} customers, {changed:,} of them changed",
            requests,
            most=changed + 1,
            beside=f"{writes:,} updates, counted by the sandbox; the first night was written into the "
            f"journal, not sent; without `--since-last` {rows + 1:,} calls",
        ),
        Figure(
            2,
            "minutes of quota they take",
            requests / HOURLY * 60,
            " min",
            most=6,
            beside=f"without `--since-last` {plain}; the call itself took {ended.seconds:.0f} s, of which "
            f"{ended.cpu_seconds:.0f} s were computing: reading, checking, looking up, sending, writing the results",
        ),
    ]


def _measure_with_others(rows: int, sheet: Path) -> Figure:
    """The same, two days after the first night, after others have changed the comments of one customer in 200."""
    with (
        Sandbox(SandboxOptions(customers=rows, first_customer_id=FIRST_ID)) as sandbox,
        tempfile.TemporaryDirectory() as own,
    ):
        store = sandbox.service.registry
        wanted = {
            int(row.customer_id): json.loads(row.body)
            for row in load_input_file(sheet, Settings(), SheetOptions()).rows()
            if row.body
        }
        for customer_id, values in wanted.items():
            store.update(customer_id, values, is_applied=True)
        store._modified.clear()  # that was the first night
        others = [FIRST_ID + at for at in range(3, rows, 200)]
        for customer_id in others:
            store.update(customer_id, {"Comments": "by others"}, is_applied=True)
        then = Clock().now() - 2 * 86_400
        _write_first_night(Path(own) / "state", sheet, urlsplit(sandbox.base_url).netloc, then)
        tonight = change_some(sheet, Path(own) / "tonight.csv")
        bulkupdate(
            "run", tonight, "--yes", "--since-last", "--trust-modified-filter", "true", "--json",
            folder=Path(own), base_url=sandbox.base_url,
        )  # fmt: skip
        requests, writes = (int(str(sandbox.counts[name])) for name in ("requests", "writes"))
        restored = [each for each in others if "Comments" in wanted.get(each, {})]
        wrong = [each for each in restored if (sandbox.customer(each) or {})["Comments"] == "by others"]
    assert not wrong, f"{len(wrong)} customers did not end as the sheet has them"
    return Figure(
        2,
        f"calls if others have modified {len(others):,} of them meanwhile",
        requests,
        most=count_changed(rows) + len(restored) + -(-len(others) // 50) + len(others) + 2,
        beside=f"{writes:,} updates, those that restore what others changed among them; the bound: updates, a "
        "request for 50 modified customers, a read of each, and 2",
    )


def _write_first_night(state: Path, sheet: Path, host: str, at: float | None = None) -> None:
    intake = load_input_file(sheet, Settings(), SheetOptions())
    with Journal(state, Clock()) as journal:
        new = NewRun(
            "first-night",
            str(sheet),
            intake.sha256,
            host,
            "sandbox",
            intake.original_headings,
            RunOptions(),
            {},
            "",
            parent=None,
        )
        run = journal.add_run(new, intake.rows())
        now = format_utc(Clock().now() if at is None else at)
        pending = journal.pending(run)
        while rows := list(islice(pending, 5000)):
            journal.record(run, intents=rows)
            journal.record(run, outcomes=[RowOutcome(row.number, Status.UPDATED, 200, 1, "", now) for row in rows])
        journal.set_state(run, RunState.FINISHED)


if __name__ == "__main__":
    run_program(measure)
