"""Write the results of a run, as a workbook or CSV, and the to-fix file with the rows that did not go through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import REASON_COLUMN, RESULT_COLUMNS, ResultLine, Status
from bulkupdate.errors import BulkUpdateError
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.own_files import FileKind, find_own_file
from bulkupdate.spreadsheets.writing.summary_sheet import Section, SummaryRow, format_summary
from bulkupdate.spreadsheets.writing.tables import Column, format_table, input_columns, look_ahead, write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS, StreamedRows, write_workbook

RESULTS_SHEET = "Results"
SUMMARY_SHEET = "Summary"
TO_FIX_SHEET = "Customers"

STATUS_COLOURS = {
    Status.UPDATED.value: styles.GREEN,
    Status.UNCHANGED.value: styles.PLAIN_GREY,
    Status.INVALID.value: styles.RED,
    Status.REJECTED.value: styles.RED,
    Status.FAILED.value: styles.RED,
    Status.UNKNOWN.value: styles.AMBER,
    Status.NOT_ATTEMPTED.value: styles.AMBER,
}

_MEANINGS = {
    Status.UPDATED: "The service applied the update.",
    Status.UNCHANGED: "There was nothing to send for this row.",
    Status.INVALID: "A check found a problem: not sent.",
    Status.REJECTED: "The service refused this row.",
    Status.FAILED: "The service failed to apply it, after several attempts.",
    Status.UNKNOWN: "Sent without a final answer: it may or may not have been applied.",
    Status.NOT_ATTEMPTED: "Never sent: the run stopped before this row.",
}

_WIDTHS = (8.0, 13.0, 14.0, 12.0, 10.0, 28.0, 52.0, 22.0)
_NUMBERS = ("Row", "HttpStatus", "Attempts")
_RESULT_COLUMNS = [
    Column(heading, width, styles.NUMBER if heading in _NUMBERS else styles.INPUT_TEXT)
    for heading, width in zip(RESULT_COLUMNS, _WIDTHS, strict=True)
]
_REASON_WIDTH = 50.0


def write_results(
    path: Path,
    headings: Sequence[str],
    lines: Iterable[ResultLine],
    summary: Sequence[SummaryRow],
    counts: Mapping[Status, int],
) -> None:
    """Write one line for each row of the file to `path`: a workbook, or CSV if it ends in `.csv`.

    `headings` and `ResultLine.original` are the input's own columns, without those that we add. `summary` is shown
    as label and value in the sheet Summary. `counts` must agree with `lines`. The file appears whole or not at all;
    it is readable by its owner only. More rows than a sheet holds continue in a sheet `Results 2`.

    Raises `UsageError` if the file cannot be written, `BulkUpdateError` if the lines are not those of `counts`.
    """
    checked = _compare_with_counts(lines, counts)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            write_csv(stream, (*RESULT_COLUMNS, *headings), (_as_cells(line) for line in checked))
        else:
            _write_results_book(stream, headings, checked, summary, counts)


def to_fix_path(results_path: Path) -> Path:
    """Return where the rows that did not go through are written: `out-to-fix.xlsx` for `out.xlsx` and for `out.csv`."""
    return results_path.with_name(f"{results_path.stem}-to-fix.xlsx")


def write_to_fix(path: Path, headings: Sequence[str], lines: Iterable[ResultLine]) -> None:
    """Write these rows as a sheet to fix and give back: the input's own columns, then `Reason`.

    Raises `UsageError` if the file cannot be written.
    """
    first, lines = look_ahead(lines)
    book = styles.new_book(TO_FIX_SHEET)
    columns = input_columns(headings, (line.original for line in first))
    columns.append(Column(REASON_COLUMN, _REASON_WIDTH, styles.WRAPPED_TEXT))
    rows = ((*line.original, f"{line.status.value}: {make_visible(line.message)}") for line in lines)
    with replace_file(path) as stream:
        write_workbook(book, stream, {TO_FIX_SHEET: format_table(book[TO_FIX_SHEET], columns, rows)}, FileKind.TO_FIX)


def remove_to_fix(path: Path) -> None:
    """Delete a to-fix file of earlier results; any other file of that name stays, as does one that is in use."""
    found = find_own_file(path)
    if found and found.kind is FileKind.TO_FIX:
        with suppress(OSError):
            path.unlink()


def _compare_with_counts(lines: Iterable[ResultLine], counts: Mapping[Status, int]) -> Iterator[ResultLine]:
    """Yield the lines; raise `BulkUpdateError` at their end, before the file is put in place, if the counts differ."""
    written: Counter[Status] = Counter()
    for line in lines:
        written[line.status] += 1
        yield line
    if written != Counter(counts):
        raise BulkUpdateError(
            f"The results do not add up: {_describe(counts)} were counted, {_describe(written)} were found.",
            remedy="No results file was written. This is a bug in bulkupdate; please report it.",
        )


def _describe(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count) or "no rows"


def _as_cells(line: ResultLine) -> tuple[str | int | None, ...]:
    return (
        line.row,
        line.customer_id,
        line.status.value,
        line.http_status,
        line.attempts,
        ", ".join(line.fields_sent),
        make_visible(line.message),
        line.finished_at,
        *line.original,
    )


def _write_results_book(
    stream: BinaryIO,
    headings: Sequence[str],
    lines: Iterable[ResultLine],
    summary: Sequence[SummaryRow],
    counts: Mapping[Status, int],
) -> None:
    total = sum(counts.values())
    room = EXCEL_ROWS - 1
    titles = [RESULTS_SHEET, *(f"{RESULTS_SHEET} {number}" for number in range(2, -(-total // room) + 1))]
    book = styles.new_book(*titles, SUMMARY_SHEET)
    first, rest = look_ahead(lines)
    columns = [*_RESULT_COLUMNS, *input_columns(headings, (line.original for line in first))]
    streamed = {
        title: _format_results(book[title], columns, islice(rest, room), min(room, total - room * index))
        for index, title in enumerate(titles)
    }
    streamed[SUMMARY_SHEET] = format_summary(book[SUMMARY_SHEET], _make_summary(summary, counts))
    write_workbook(book, stream, streamed, FileKind.RESULTS)


def _format_results(
    sheet: Worksheet, columns: Sequence[Column], lines: Iterable[ResultLine], count: int
) -> StreamedRows:
    rows = format_table(sheet, columns, (_as_cells(line) for line in lines), count)
    sheet.freeze_panes = "D2"
    styles.add_status_colours(sheet, RESULT_COLUMNS.index("Status") + 1, 2, STATUS_COLOURS)
    return rows


def _make_summary(summary: Sequence[SummaryRow], counts: Mapping[Status, int]) -> list[Section]:
    by_status = [(status.value, counts.get(status, 0), _MEANINGS[status]) for status in Status]
    return [
        Section("Rows by status", [*by_status, ("all rows", sum(counts.values()), "")], STATUS_COLOURS),
        Section("The run", summary),
    ]
