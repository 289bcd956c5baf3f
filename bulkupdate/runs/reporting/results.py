"""Write the results of a run, from the journal alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from bulkupdate.clock import format_local_date
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import TO_FIX, Run
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.results_workbook import write_results
from bulkupdate.spreadsheets.writing.to_fix_sheet import remove_to_fix, to_fix_path, write_to_fix

_ADDED = re.compile(r"(?<=.)(-results-\d{8}-\d{6}-[a-z2-9]{8}(-to-fix)?)+$")
"""What the names of results and to-fix files add to that of the input."""


def require_results_place(results: Path, source: Path | None, *, force: bool = False) -> None:
    """Raise `UsageError` if results or the to-fix file beside them cannot or must not be written (`output_place.py`).

    `source` is the file being sent, None if it is not needed. With `force`, other files may be overwritten.
    """
    sources = () if source is None else (source,)
    require_output_place(results, OwnFileKind.RESULTS, sources, force=force)
    require_output_place(to_fix_path(results), OwnFileKind.TO_FIX, sources, force=force)


def default_results_path(source: Path, run_id: str) -> Path:
    """Return the default path of results: beside the input, with the id of the run.

    What earlier runs added to the name is removed, so that it does not grow with each corrected file.
    """
    return source.with_name(f"{_ADDED.sub('', source.stem)}-results-{run_id}.xlsx")


def write_run_results(run: Run, journal: Journal, path: Path) -> tuple[Path, Path | None]:
    """Write the results of a run and, if rows are to be corrected, the to-fix file. Return where they are.

    If there is no such row, a to-fix file that earlier results left there is removed: its rows are sent, or
    belong to results that are replaced. Raises `BulkUpdateError` if they cannot be written.
    """
    tally = journal.tally(run)
    problems = journal.problems(run)
    lines, corrections = journal.lines(run), journal.corrections(run)
    write_results(path, run.headings, lines, summarise_run(run), tally.counts, problems, corrections)
    to_fix = to_fix_path(path)
    if not any(tally[status] for status in TO_FIX):
        remove_to_fix(to_fix)
        return path, None
    write_to_fix(to_fix, run.headings, journal.lines(run, TO_FIX), problems)
    return path, to_fix


def summarise_run(run: Run) -> list[tuple[str, str | int]]:
    """Return the lines of the sheet Summary, except the counts."""
    return [*describe_run(run), *((f"Setting {name}", value) for name, value in run.settings.items() if value != "")]


def describe_run(run: Run) -> list[tuple[str, str | int]]:
    """Return what a run is about and how it ended, as labels and values."""
    lines: list[tuple[str, str | int]] = [
        ("File", run.file),
        *([("Sheet", run.options.sheet)] if run.options.sheet else []),
        ("Run", run.id),
        ("State", run.state.value),
        *([("Stopped because", run.stopped_by)] if run.stopped_by else []),
        *([(_name_link(run), run.parent)] if run.parent else []),
        *_describe_time("Started", run.started),
        *_describe_time("Ended", run.finished),
        ("Rows", run.rows),
        ("Requests used", run.calls),
        ("Service", run.host),
        *([("Sent by host", run.machine)] if run.machine else []),
    ]
    lines += [
        (f"Option {name}", "yes" if value is True else str(value))
        for name, value in replace(run.options, sheet="", key_field="", key_heading="", recipe_text="")
        .to_json()
        .items()
        if value
    ]
    return lines


def _name_link(run: Run) -> str:
    return "Undoes run" if run.options.undo else "Retries rows of run"


def _describe_time(label: str, time: str) -> list[tuple[str, str]]:
    """Return a time as UTC and as the local time of this machine; one blank line if there is none yet."""
    if not time:
        return [(f"{label} (UTC)", "")]
    return [(f"{label} (UTC)", time), (f"{label} (local time)", format_local_date(time))]
