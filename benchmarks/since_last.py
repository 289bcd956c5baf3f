"""Goal 2: last night's list again with one customer in a hundred changed, and `--since-last`.

The first night is written into the journal as a run would have written it, answer by answer, without a service: sending
100,000 updates to a sandbox written in Python takes minutes and shows nothing more.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from itertools import count, islice
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.figures import Figure, Size, run_program
from benchmarks.program import bulkupdate
from benchmarks.sheets import FIRST_ID, change_some, count_changed, obtain_sheet
from bulkupdate.clock import Clock, format_duration, format_utc, parse_utc
from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import NewRun, RowOutcome, RunOptions, RunState
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings

HOURLY = 10_800
_DAY = 86_400.0
Values = dict[str, object]


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
    plain = format_duration((rows + 1) / HOURLY * 3600)
    return [
        *_measure_nights(rows, sheet),
        Figure(
            2,
            f"requests for {rows:,} customers, {changed:,} of them changed",
            requests,
            most=changed + 1,
            beside=f"{writes:,} updates, counted by the sandbox; the first night was written into the "
            f"journal, not sent; without `--since-last` {rows + 1:,} requests",
        ),
        Figure(
            2,
            "minutes of quota they take",
            requests / HOURLY * 60,
            " min",
            most=6,
            beside=f"without `--since-last` {plain}; the run itself took {ended.seconds:.0f} s, of which "
            f"{ended.cpu_seconds:.0f} s were computing: reading, checking, looking up, sending, writing the results",
        ),
    ]


def _measure_nights(rows: int, sheet: Path) -> list[Figure]:
    """Three more nights, each by another process, after a first one that spent its hours of quota on all customers."""
    with (
        Sandbox(SandboxOptions(customers=rows, first_customer_id=FIRST_ID)) as sandbox,
        tempfile.TemporaryDirectory() as own,
    ):
        store, state = sandbox.service.registry, Path(own) / "state"
        wanted = _read_bodies(sheet)
        for customer_id, values in wanted.items():
            store.update(customer_id, values, is_applied=True)
        begun = Clock().now() - 2 * _DAY
        _write_first_night(state, sheet, urlsplit(sandbox.base_url).netloc, begun)
        store._modified = {key: _sent_at(begun, place) for place, key in enumerate(wanted)}
        figures, ours, tonight = [], rows, sheet
        for night in range(1, 4):
            _pass_a_day(state, sandbox)
            others = [FIRST_ID + at for at in range(1 + 2 * night, rows, 200)]
            for customer_id in others:
                store.update(customer_id, {"Comments": "by others"}, is_applied=True)
            _pass_a_day(state, sandbox, 3600)
            tonight = change_some(tonight, Path(own) / f"night-{night}.csv", f"night {night}")
            wanted, before = _read_bodies(tonight), _count(sandbox)
            bulkupdate(
                "run", tonight, "--yes", "--since-last", "--trust-modified-filter", "true", "--json",
                folder=Path(own), base_url=sandbox.base_url,
            )  # fmt: skip
            used = {name: count - before[name] for name, count in _count(sandbox).items()}
            _require_as_wanted(sandbox, wanted)
            figures.append(_describe_night(night, rows, ours, others, wanted, used))
            ours = used["writes"]
    return figures


def _describe_night(
    night: int, rows: int, ours: int, others: list[int], wanted: Mapping[int, Values], used: Mapping[str, int]
) -> Figure:
    restored = sum("Comments" in wanted.get(customer_id, {}) for customer_id in others)
    minutes = -(-ours * 3600 // HOURLY // 60) if night == 1 else 0
    updates, pages = count_changed(rows) + restored, -(-(len(others) + ours) // 50)
    return Figure(
        2,
        f"night {night + 1}: requests if others have modified {len(others):,} customers meanwhile",
        used["requests"],
        most=updates + pages + minutes + len(others) + 2,
        beside=f"{used['writes']:,} updates, {restored:,} of them to restore what others changed. The bound: updates, "
        f"a request for 50 modified customers, {ours:,} updates of the night before included, "
        f"{'one for each minute of that night, ' if minutes else ''}a read of each that others modified, and 2",
    )


def _sent_at(begun: float, place: int) -> str:
    """Return when the update of a row was answered, at the pace that the quota allows."""
    return format_utc(begun + place * 3600 / HOURLY)


def _read_bodies(sheet: Path) -> dict[int, Values]:
    rows = load_input_file(sheet, Settings(), SheetOptions()).rows()
    return {int(row.customer_id): json.loads(row.body) for row in rows if row.body}


def _count(sandbox: Sandbox) -> dict[str, int]:
    return {name: int(str(sandbox.counts[name])) for name in ("requests", "writes")}


def _require_as_wanted(sandbox: Sandbox, wanted: Mapping[int, Values]) -> None:
    named = [(customer_id, values["Comments"]) for customer_id, values in wanted.items() if "Comments" in values]
    wrong = [each for each, comments in named if (sandbox.customer(each) or {})["Comments"] != comments]
    assert not wrong, f"{len(wrong)} customers did not end as the sheet has them"


def _pass_a_day(state: Path, sandbox: Sandbox, seconds: float = _DAY) -> None:
    """Set all times of the journal and of the sandbox back."""

    store = sandbox.service.registry
    store._modified = {key: format_utc(parse_utc(at) - seconds) for key, at in store._modified.items()}
    with Journal(state, Clock()) as journal:
        for table, column in (("rows", "finished_at"), ("seen", "seen_at")):
            earlier = f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, ?)"
            journal.execute(f"UPDATE {table} SET {column} = {earlier} WHERE {column} != ''", f"-{seconds:.0f} seconds")


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
        begun, places = Clock().now() if at is None else at, count()
        pending = journal.pending(run)
        while rows := list(islice(pending, 5000)):
            journal.record(run, intents=rows)
            sent = [(row.number, _sent_at(begun, next(places))) for row in rows]
            journal.record(run, outcomes=[RowOutcome(row, Status.UPDATED, 200, 1, "", now) for row, now in sent])
        journal.set_state(run, RunState.FINISHED)


if __name__ == "__main__":
    run_program(measure)
