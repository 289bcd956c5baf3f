"""The whole difference between a checked upload and the live customers, kept beside it until it is read otherwise."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import PROBLEM_COLUMNS, Change, Problem
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.diff import describe_changes, look_up
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.store.sqlite_file import open_scratch_file, write_scratch_file
from bulkupdate.web.json_files import read_record, write_json
from bulkupdate.web.paging import PAGE_ROWS, count_skipped
from bulkupdate.web.uploads.check_outcome import delete_reports
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.upload_store import Upload

SUMMARY = "changes.json"
_STORE = "changes.sqlite3"
_TABLES = """
CREATE TABLE changes (row INTEGER, customer_id TEXT, field TEXT, before TEXT, after TEXT);
CREATE TABLE problems (row INTEGER, customer_id TEXT, heading TEXT, value TEXT, code TEXT, message TEXT, remedy TEXT,
    severity TEXT);
"""


@dataclass(frozen=True)
class ChangeSummary:
    """A comparison as a whole: `rows` were compared at `at` (ISO 8601, UTC) with `calls` requests.

    `changed` of them differ, `same` have every value already, `problems` have no customer or one with another key.
    `fields` are the numbers of changes by field. `revision` is that of the upload.
    """

    revision: int
    at: str
    rows: int
    changed: int
    same: int
    problems: int
    calls: int
    fields: dict[str, int]


def compare_live(upload: Upload, check: StoredCheck, context: RunContext, watch: WatchReading) -> None:
    """Compare every row that would be sent with its customer, and keep what would change. Sends nothing.

    Fields that the write policy keeps do not count. Raises what the client raises.
    """
    (upload.folder / SUMMARY).unlink(missing_ok=True)
    counts, fields, calls = Counter[str](), Counter[str](), context.client.calls
    rows, concurrency = check.rows(), context.settings.concurrency
    with write_scratch_file(upload.folder / _STORE, _TABLES) as store:
        for found in look_up(rows, context.client, concurrency, watch, live_key=check.live_key, is_sure=False):
            looked_up = found.protect(check.used.guarded)
            counts["rows"] += 1
            if problem := looked_up.find_problem(check.id_heading):
                counts["problems"] += 1
                store.execute("INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?)", PROBLEM_COLUMNS(problem))
                continue
            changes = list(describe_changes(looked_up))
            counts["changed" if changes else "same"] += 1
            fields.update(change.field for change in changes)
            store.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", map(astuple, changes))
    numbers = {name: counts[name] for name in ("rows", "changed", "same", "problems")}
    at = format_utc(context.clock.now())
    calls = context.client.calls - calls
    write_json(
        upload.folder / SUMMARY,
        asdict(ChangeSummary(upload.revision, at, **numbers, calls=calls, fields=dict(fields.most_common()))),
    )
    delete_reports(upload.folder)  # they are written again, with the changes


def read_summary(upload: Upload) -> ChangeSummary | None:
    """Return the last comparison; None if there was none, or the sheet has been read in another way since."""
    summary = read_record(upload.folder / SUMMARY, ChangeSummary)
    return summary if summary is not None and summary.revision == upload.revision else None


def page_changes(folder: Path, field: str, page: int) -> list[Change]:
    """Return one page of the changes, of one field or, if that is empty, of all."""
    where, values = (" WHERE field = ?", [field]) if field else ("", [])
    query = f"SELECT * FROM changes{where} ORDER BY rowid LIMIT ? OFFSET ?"  # noqa: S608  # a constant
    with closing(open_scratch_file(folder / _STORE)) as store:
        found = store.execute(query, [*values, PAGE_ROWS, count_skipped(page)])
        return [Change(*columns) for columns in found]


def list_problems(folder: Path, most: int) -> list[Problem]:
    """Return the first rows whose customer does not exist or has another key."""
    with closing(open_scratch_file(folder / _STORE)) as store:
        return list(map(Problem.from_columns, store.execute("SELECT * FROM problems ORDER BY rowid LIMIT ?", (most,))))


def read_findings(upload: Upload) -> LiveFindings | None:
    """Return the last comparison as reports take it; None as for `read_summary`."""
    summary = read_summary(upload)
    if summary is None:
        return None
    with closing(open_scratch_file(upload.folder / _STORE)) as store:
        changes = tuple(Change(*columns) for columns in store.execute("SELECT * FROM changes ORDER BY rowid"))
    problems = tuple(list_problems(upload.folder, summary.problems))
    return LiveFindings(changes, problems, summary.same, summary.calls)
