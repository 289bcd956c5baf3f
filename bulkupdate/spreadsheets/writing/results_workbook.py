"""Write the results of a run, as a workbook or as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import RESULT_COLUMNS, Correction, Problem, ResultLine, Status
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.corrections_sheet import add_corrections
from bulkupdate.spreadsheets.writing.explanations import ProblemsByRow, explain, group_errors
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.result_counts import compare_with_counts
from bulkupdate.spreadsheets.writing.results_summary import STATUS_COLOURS, ResultsObserver
from bulkupdate.spreadsheets.writing.summary_sheet import SummaryRow, format_summary
from bulkupdate.spreadsheets.writing.tables import Column, format_table, input_columns, look_ahead, write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS, StreamedRows, write_workbook

RESULTS_SHEET = "Results"
SUMMARY_SHEET = "Summary"

_WIDTHS = (8.0, 13.0, 14.0, 12.0, 10.0, 28.0, 60.0, 22.0)
_STYLES = dict.fromkeys(("Row", "HttpStatus", "Attempts"), styles.NUMBER) | {"Message": styles.WRAPPED_TEXT}
_RESULT_COLUMNS = [
    Column(heading, width, _STYLES.get(heading, styles.INPUT_TEXT))
    for heading, width in zip(RESULT_COLUMNS, _WIDTHS, strict=True)
]
_FROZEN = RESULT_COLUMNS.index("Status") + 1


def write_results(
    path: Path,
    headings: Sequence[str],
    lines: Iterable[ResultLine],
    summary: Sequence[SummaryRow],
    counts: Mapping[Status, int],
    problems: Sequence[Problem] = (),
    corrections: Sequence[Correction] = (),
) -> None:
    """Write one line for each row of the file to `path`: a workbook, or CSV if it ends in `.csv`.

    `headings` and `ResultLine.original` are the input's own columns, without those that we add. `summary` is shown as
    label and value in the sheet Summary. `counts` must agree with `lines`; `problems` are those of the file, whose
    remedies are added to the messages; `corrections` have a sheet of their own, if there are any. The file is written
    completely or not at all; only its owner can read it. More rows than a sheet holds continue in a sheet `Results 2`.

    Raises `UsageError` if the file cannot be written, `BulkUpdateError` if the lines are not those of `counts`.
    """
    room = EXCEL_ROWS - 1
    total = sum(counts.values())
    titles = [RESULTS_SHEET, *(f"{RESULTS_SHEET} {number}" for number in range(2, -(-total // room) + 1))]
    observer = ResultsObserver(problems, titles, room)
    checked = observer.watch(compare_with_counts(lines, counts))
    errors = group_errors(problems)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            write_csv(stream, (*RESULT_COLUMNS, *headings), (_as_cells(line, errors, " ") for line in checked))
        else:
            _write_book(stream, headings, checked, summary, counts, errors, observer, corrections)


def _as_cells(line: ResultLine, errors: ProblemsByRow, separator: str) -> tuple[str | int | None, ...]:
    return (
        line.row,
        line.customer_id,
        line.status.value,
        line.http_status,
        line.attempts,
        ", ".join(line.fields_sent),
        separator.join(map(str, explain(line, errors))),
        line.finished_at,
        *line.original,
    )


def _write_book(
    stream: BinaryIO,
    headings: Sequence[str],
    lines: Iterable[ResultLine],
    summary: Sequence[SummaryRow],
    counts: Mapping[Status, int],
    errors: ProblemsByRow,
    observer: ResultsObserver,
    corrections: Sequence[Correction],
) -> None:
    book = styles.new_book(*observer.sheets, SUMMARY_SHEET)
    first, rest = look_ahead(lines)
    columns = [*_RESULT_COLUMNS, *input_columns(headings, (line.original for line in first))]
    streamed: dict[str, StreamedRows] = {}
    for index, title in enumerate(observer.sheets):
        rows = (_as_cells(line, errors, "\n") for line in islice(rest, observer.rows_per_sheet))
        count = min(observer.rows_per_sheet, sum(counts.values()) - observer.rows_per_sheet * index)
        streamed[title] = _format_results(book[title], columns, rows, count)
    streamed[SUMMARY_SHEET] = format_summary(book[SUMMARY_SHEET], observer.make_sections(summary, counts))
    streamed |= add_corrections(book, corrections)
    write_workbook(book, stream, streamed, OwnFileKind.RESULTS)


def _format_results(
    sheet: Worksheet, columns: Sequence[Column], rows: Iterable[Sequence[str | int | None]], count: int
) -> StreamedRows:
    formatted = format_table(sheet, columns, rows, count, frozen=_FROZEN)
    styles.add_status_colours(sheet, _FROZEN, 2, STATUS_COLOURS)
    return formatted
