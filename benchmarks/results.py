"""Goal 10: the results of a run written, beside XlsxWriter alone with the same cells."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import xlsxwriter

from benchmarks.figures import Figure, Size, interleave, run_program, seconds_of
from benchmarks.sheets import make_rows
from bulkupdate.customers.models import RESULT_COLUMNS, ResultLine, Status
from bulkupdate.spreadsheets.writing.results_workbook import write_results


def measure(size: Size, _folder: Path) -> list[Figure]:
    """The lines stand ready in memory for both."""
    headings, *rows = make_rows(size.sheet_rows)
    lines = list(_make_lines(headings, rows))
    counts = {Status.UPDATED: len(lines)}
    with tempfile.TemporaryDirectory() as own:
        target = Path(own)
        seconds = interleave(
            size.repeats,
            {
                "this tool": lambda: seconds_of(
                    lambda: write_results(target / "ours.xlsx", headings, lines, [("File", "x")], counts)
                ),
                "XlsxWriter": lambda: seconds_of(lambda: _write_bare(target / "bare.xlsx", headings, lines)),
            },
        )
        ours, bare = ((target / name).stat().st_size / 2**20 for name in ("ours.xlsx", "bare.xlsx"))
    return [
        Figure(
            10,
            f"results of {size.sheet_rows:,} rows × {len(headings) + len(RESULT_COLUMNS)} ÷ XlsxWriter alone",
            seconds["this tool"] / seconds["XlsxWriter"],
            most=0.25,
            beside=f"this tool {seconds.say('this tool')}, {ours:.1f} MiB; XlsxWriter with constant_memory "
            f"{seconds.say('XlsxWriter')}, {bare:.1f} MiB",
        )
    ]


def _make_lines(headings: list[str], rows: list[list[str]]) -> Iterator[ResultLine]:
    for number, cells in enumerate(rows, start=2):
        sent = tuple(name for name, text in zip(headings[1:], cells[1:], strict=True) if text)
        yield ResultLine(
            number, cells[0], Status.UPDATED, 200, 1, sent, "the service answered 200", "2026-01-14T09:38:49Z",
            tuple(cells),
        )  # fmt: skip


def _write_bare(path: Path, headings: list[str], lines: list[ResultLine]) -> None:
    """The same cells, row by row, with nothing around them."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Results")
    for column, text in enumerate((*RESULT_COLUMNS, *headings)):
        sheet.write_string(0, column, text)
    for number, line in enumerate(lines, start=1):
        sheet.write_number(number, 0, line.row)
        sheet.write_string(number, 1, line.customer_id)
        sheet.write_string(number, 2, line.status.value)
        sheet.write_number(number, 3, line.http_status or 0)
        sheet.write_number(number, 4, line.attempts)
        sheet.write_string(number, 5, ", ".join(line.fields_sent))
        sheet.write_string(number, 6, line.message)
        sheet.write_string(number, 7, line.finished_at)
        for column, text in enumerate(line.original, start=8):
            if text:
                sheet.write_string(number, column, text)
    book.close()


if __name__ == "__main__":
    run_program(measure)
