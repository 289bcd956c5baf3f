"""What became of each row: the results workbook (or CSV file), and the to-fix file with the rows still to be mended."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import REASON_COLUMN, RESULT_COLUMNS, ResultLine, Status
from bulkupdate.errors import BulkUpdateError
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible, neutralise_for_csv
from bulkupdate.spreadsheets.writing.summary_sheet import Section, SummaryRow, format_summary
from bulkupdate.spreadsheets.writing.xlsx_writer import CREATOR, EXCEL_ROWS, Cell, StreamedRows, Styled, write_workbook

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
    Status.UPDATED: "The service took the change.",
    Status.UNCHANGED: "There was nothing to send for this row.",
    Status.INVALID: "A check found something wrong: not sent.",
    Status.REJECTED: "The service refused this row.",
    Status.FAILED: "The service did not manage it, though tried several times.",
    Status.UNKNOWN: "Sent, but no answer came: it may or may not have been changed.",
    Status.NOT_ATTEMPTED: "The run stopped before this row.",
}

_OWN_WIDTHS = (8.0, 13.0, 14.0, 12.0, 10.0, 28.0, 52.0, 22.0)
_REASON_WIDTH = 50.0
_ROWS_LOOKED_AT = 100


def write_results(
    path: Path,
    headings: Sequence[str],
    lines: Iterable[ResultLine],
    summary: Sequence[SummaryRow],
    counts: Mapping[Status, int],
) -> None:
    """Write one line for each row of the file to `path`: a workbook, or CSV if it ends in `.csv`.

    `headings` and `ResultLine.original` are the input's own columns, without those that are ours. `summary` is shown
    as label and value in the sheet Summary. `counts` must agree with `lines`. The file appears whole or not at all;
    it is readable by its owner only. More rows than a sheet holds go on in a sheet `Results 2`.

    Raises `UsageError` if the file cannot be written, `BulkUpdateError` if the lines are not those of `counts`.
    """
    checked = _compare_with_counts(lines, counts)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            _write_csv(stream, (*RESULT_COLUMNS, *headings), (_as_cells(line) for line in checked))
        else:
            _write_results_book(stream, headings, checked, summary, counts)


def to_fix_path(results_path: Path) -> Path:
    """Where the rows that did not go through are written: `out-to-fix.xlsx` for `out.xlsx` and for `out.csv`."""
    return results_path.with_name(f"{results_path.stem}-to-fix.xlsx")


def write_to_fix(path: Path, headings: Sequence[str], lines: Iterable[ResultLine]) -> None:
    """Write these rows as a sheet to mend and give back: the input's own columns, then `Reason`.

    Raises `UsageError` if the file cannot be written.
    """
    seen, lines = _look_ahead(lines)
    book = styles.new_book(TO_FIX_SHEET)
    sheet = book[TO_FIX_SHEET]
    text, wrapped = styles.register(sheet, styles.INPUT_TEXT), styles.register(sheet, styles.WRAPPED_TEXT)
    own, given = styles.register(sheet, styles.OWN_HEADING), styles.register(sheet, styles.INPUT_HEADING)
    styles.make_table(sheet, len(headings) + 1)
    widths = [*styles.guess_widths(headings, (line.original for line in seen)), _REASON_WIDTH]
    styles.set_widths(sheet, widths, styles.INPUT_TEXT)
    heading: list[Cell] = [*(Styled(each, given) for each in headings), Styled(REASON_COLUMN, own)]
    rows = ((*line.original, f"{line.status.value}: {make_visible(line.message)}") for line in lines)
    with replace_file(path) as stream:
        column_styles = [*[text] * len(headings), wrapped]
        streamed = StreamedRows(chain([heading], rows), column_styles, {len(headings): _REASON_WIDTH})
        write_workbook(book, stream, {TO_FIX_SHEET: streamed})


def remove_to_fix(path: Path) -> None:
    """Delete a to-fix file of earlier results; anything else of that name stays, and so does what cannot be deleted."""
    with suppress(OSError):
        if _is_to_fix(path):
            path.unlink()


def _is_to_fix(path: Path) -> bool:
    """Whether it is a workbook that `write_to_fix` made, perhaps edited since."""
    try:
        with warnings.catch_warnings(action="ignore"), closing(load_workbook(path, read_only=True)) as book:
            is_ours = book.properties.creator == CREATOR and book.sheetnames[0] == TO_FIX_SHEET
            headings = next(book[TO_FIX_SHEET].iter_rows(max_row=1, values_only=True)) if is_ours else ()
    except Exception:  # noqa: BLE001 - openpyxl fails in many ways; what it cannot read is not ours
        return False
    return REASON_COLUMN in headings


def _compare_with_counts(lines: Iterable[ResultLine], counts: Mapping[Status, int]) -> Iterator[ResultLine]:
    """The lines; at their end, before the file is put in place, an error if they are not as many as was counted."""
    written: Counter[Status] = Counter()
    for line in lines:
        written[line.status] += 1
        yield line
    if written != Counter(counts):
        raise BulkUpdateError(
            f"The results do not add up: {_say(counts)} were counted, {_say(written)} were found.",
            remedy="No results file was written. This is a fault of bulkupdate: please report it.",
        )


def _say(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count) or "no rows"


def _look_ahead(lines: Iterable[ResultLine]) -> tuple[list[ResultLine], Iterator[ResultLine]]:
    """The first lines, for the widths of the columns, and all of them."""
    iterator = iter(lines)
    first = list(islice(iterator, _ROWS_LOOKED_AT))
    return first, chain(first, iterator)


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


def _write_csv(stream: BinaryIO, headings: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """UTF-8 with a byte order mark, by which Excel knows that it is not Windows-1252."""
    text = TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    for row in chain([headings], rows):
        writer.writerow([neutralise_for_csv(value) if isinstance(value, str) else value for value in row])
    text.detach()


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
    seen, rest = _look_ahead(lines)
    widths = [*_OWN_WIDTHS, *styles.guess_widths(headings, (line.original for line in seen))]
    streamed = {
        title: _make_results_sheet(book[title], headings, widths, islice(rest, room), min(room, total - room * place))
        for place, title in enumerate(titles)
    }
    streamed[SUMMARY_SHEET] = format_summary(book[SUMMARY_SHEET], _make_summary(summary, counts))
    write_workbook(book, stream, streamed)


def _make_results_sheet(
    sheet: Worksheet, headings: Sequence[str], widths: Sequence[float], lines: Iterable[ResultLine], count: int
) -> StreamedRows:
    number, text = styles.register(sheet, styles.NUMBER), styles.register(sheet, styles.INPUT_TEXT)
    own, given = styles.register(sheet, styles.OWN_HEADING), styles.register(sheet, styles.INPUT_HEADING)
    styles.make_table(sheet, len(widths))
    styles.set_widths(sheet, widths, styles.INPUT_TEXT)
    sheet.freeze_panes = "D2"
    styles.add_status_colours(sheet, RESULT_COLUMNS.index("Status") + 1, 2, STATUS_COLOURS)
    heading: list[Cell] = [*(Styled(each, own) for each in RESULT_COLUMNS), *(Styled(each, given) for each in headings)]
    are_numbers = [each in ("Row", "HttpStatus", "Attempts") for each in RESULT_COLUMNS] + [False] * len(headings)
    column_styles = [number if is_number else text for is_number in are_numbers]
    return StreamedRows(chain([heading], (_as_cells(line) for line in lines)), column_styles, count=count + 1)


def _make_summary(summary: Sequence[SummaryRow], counts: Mapping[Status, int]) -> list[Section]:
    by_status = [(status.value, counts.get(status, 0), _MEANINGS[status]) for status in Status]
    return [
        Section("Rows by status", [*by_status, ("all rows", sum(counts.values()), "")], STATUS_COLOURS),
        Section("The run", summary),
    ]
