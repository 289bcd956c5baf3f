from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.customers.models import RESULT_COLUMNS, ResultLine, Status
from bulkupdate.errors import BulkUpdateError
from bulkupdate.spreadsheets.writing import results_workbook, xlsx_writer
from bulkupdate.spreadsheets.writing.escaping import neutralise_for_csv
from bulkupdate.spreadsheets.writing.results_workbook import write_results
from tests.spreadsheets.writing.samples import FORMULAS, ODD_TEXTS, count, make_line, make_problem, read_back

HEADINGS = ("Customer ID", "Full Name")
ALL_STATUSES = [make_line(row, status) for row, status in enumerate(Status, start=2)]


def write(path: Path, lines: list[ResultLine], headings: tuple[str, ...] = HEADINGS) -> None:
    write_results(path, headings, lines, [("File", "customers.xlsx"), ("Calls used", 8)], count(lines))


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_each_row_has_one_line_and_the_original_columns_follow_ours(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [make_line(7, original=("163", "Anna"), message="done")])
    rows = list(openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"].values)
    assert rows[0] == (*RESULT_COLUMNS, *HEADINGS)
    assert rows[1:] == [
        (7, "163", "updated", 200, 1, "Name, Email", "done", "2026-01-14T09:38:49Z", "163", "Anna"),
    ]


def test_the_sheet_is_the_first_and_can_be_read_row_by_row(tmp_path: Path) -> None:
    """As pandas and scripts do, which trust the sheet's stated size."""
    write(tmp_path / "out.xlsx", ALL_STATUSES)
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx", read_only=True).worksheets[0]
    assert sheet.title == "Results"
    assert (sheet.max_row, sheet.max_column) == (len(ALL_STATUSES) + 1, len(RESULT_COLUMNS) + len(HEADINGS))
    assert len(list(sheet.values)) == len(ALL_STATUSES) + 1


def test_the_summary_has_the_counts_by_status_and_what_the_run_was(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [*ALL_STATUSES, make_line(9)])
    told = {label: value for label, value, *_ in openpyxl.load_workbook(tmp_path / "out.xlsx")["Summary"].values}
    assert {status: told[status.value] for status in Status} == {**dict.fromkeys(Status, 1), Status.UPDATED: 2}
    assert told["all rows"] == 8
    assert (told["File"], told["Calls used"]) == ("customers.xlsx", 8)


def test_a_status_is_told_by_word_and_by_colour(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", ALL_STATUSES)
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"]
    rules = [rule for area in sheet.conditional_formatting for rule in area.rules]
    assert {rule.formula[0].strip('"') for rule in rules} == {status.value for status in Status}
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref.startswith("A1:J")


def test_no_cell_from_input_is_a_formula_an_error_or_a_link(tmp_path: Path) -> None:
    lines = [make_line(row, original=("1", text), message=text) for row, text in enumerate(ODD_TEXTS, start=2)]
    write(tmp_path / "out.xlsx", lines, ("=A1", "#REF!"))
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"]
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.hyperlink is None
            assert cell.data_type == ("n" if cell.column_letter in "ADE" and cell.row > 1 else "s") or not cell.value


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_the_original_text_is_read_back_by_our_own_engine(tmp_path: Path, text: str) -> None:
    write(tmp_path / "out.xlsx", [make_line(original=("163", text))], ("Customer ID", text))
    assert [row[-1] for row in read_back(tmp_path / "out.xlsx", "Results")] == [text, text]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")), min_size=1))
def test_any_text_survives_the_round_trip(tmp_path: Path, texts: list[str]) -> None:
    lines = [make_line(row, original=("1", text)) for row, text in enumerate(texts, start=2)]
    write(tmp_path / "out.xlsx", lines)
    write(tmp_path / "out.csv", lines)
    assert [row[-1] for row in read_back(tmp_path / "out.xlsx", "Results")[1:]] == texts
    assert [row[-1] for row in read_csv(tmp_path / "out.csv")[1:]] == [neutralise_for_csv(text) for text in texts]


def test_control_characters_are_visible_and_long_texts_marked_when_read_with_openpyxl(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [make_line(original=("bell\x07", "x" * 40_000), message="bell\x07")])
    *_, message, _, bell, long = list(openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"].values)[1]
    assert (message, bell) == ("bell␇", "bell_x0007_")
    assert long.endswith("… [shortened: 40,000 characters]")


def test_csv_is_the_results_sheet_alone_as_excel_opens_it(tmp_path: Path) -> None:
    lines = [make_line(2, original=("163", 'Zoë\n"x", y')), make_line(3, Status.FAILED, ("164", ""), "try again")]
    write(tmp_path / "out.csv", lines)
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfRow,CustomerId,")
    assert read_csv(tmp_path / "out.csv") == [
        [*RESULT_COLUMNS, *HEADINGS],
        ["2", "163", "updated", "200", "1", "Name, Email", "", "2026-01-14T09:38:49Z", "163", 'Zoë\n"x", y'],
        [
            "3",
            "164",
            "failed",
            "",
            "1",
            "Name, Email",
            "try again. Send it again with Retry on the page, or: bulkupdate retry",
            "2026-01-14T09:38:49Z",
            "164",
            "",
        ],
    ]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_csv_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    write(tmp_path / "out.csv", [make_line(original=("163", text), message=text)], ("Customer ID", text))
    for row in read_csv(tmp_path / "out.csv"):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
        assert row[-1] == neutralise_for_csv(text)


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_counts_that_do_not_add_up_write_nothing(tmp_path: Path, ending: str) -> None:
    counts = {Status.UPDATED: 2}
    with pytest.raises(BulkUpdateError, match="do not add up: 2 updated were counted, 1 updated were found"):
        write_results(tmp_path / f"out{ending}", HEADINGS, [make_line()], [], counts)
    assert list(tmp_path.iterdir()) == []


def test_no_rows_at_all_make_a_sheet_too(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [])
    assert list(openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"].values) == [(*RESULT_COLUMNS, *HEADINGS)]


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_lines_that_break_off_leave_the_old_file(tmp_path: Path, ending: str) -> None:
    def lines() -> Iterator[ResultLine]:
        yield from (make_line(row) for row in range(2, 2000))
        raise RuntimeError("the journal broke off")

    target = tmp_path / f"out{ending}"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="broke off"):
        write_results(target, HEADINGS, lines(), [], {Status.UPDATED: 3000})
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("rows_before", [0, 1, 1500, 2999])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_kill_while_writing_leaves_the_old_file_or_none(tmp_path: Path, rows_before: int, old: bytes | None) -> None:
    target = tmp_path / "out.xlsx"
    if old:
        target.write_bytes(old)
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from bulkupdate.customers.models import Status
        from bulkupdate.spreadsheets.writing.results_workbook import write_results
        from tests.spreadsheets.writing.samples import make_line
        def lines():
            for row in range(3000):
                if row == int(sys.argv[2]):
                    os.kill(os.getpid(), signal.SIGKILL)
                yield make_line(row + 2)
        write_results(Path(sys.argv[1]), ("Customer ID", "Full Name"), lines(), [], {Status.UPDATED: 3000})
    """)
    done = subprocess.run([sys.executable, "-c", program, target, str(rows_before)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (target.read_bytes() if target.exists() else None) == old


def test_more_rows_than_a_sheet_holds_go_on_in_a_second_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sheet of five rows instead of a million."""
    monkeypatch.setattr(results_workbook, "EXCEL_ROWS", 5)
    write(tmp_path / "out.xlsx", ALL_STATUSES)
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Results", "Results 2", "Summary"]
    rows = [row[0] for title in book.sheetnames[:2] for row in book[title].values]
    assert rows == ["Row", 2, 3, 4, 5, "Row", 6, 7, 8]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_writer, "_CHUNK_CHARACTERS", 100_000)  # so that few rows are many chunks

    def measure(rows: int) -> int:
        tracemalloc.start()
        lines = (make_line(row) for row in range(2, rows + 2))
        write_results(tmp_path / "out.xlsx", HEADINGS, lines, [], {Status.UPDATED: rows})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure(10)
    assert measure(10_000) < measure(2_000) + 200_000


def test_files_hold_customer_data_and_are_for_their_owner_only(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", [make_line()])
    if os.name == "posix":
        assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


PROBLEMS = [
    make_problem(3, "Full Name", "there is no @"),
    make_problem(3, "", "customer 163 is also in row 9"),
    make_problem(9, "Full Name", "there is no @"),
    make_problem(2, "Full Name", "has blanks around it", warning=True),
]
WITH_PROBLEMS = [
    make_line(2, message="done"),
    make_line(3, Status.INVALID, message="Full Name: there is no @; customer 163 is also in row 9"),
    make_line(5, Status.REJECTED, ("77", "Anna"), "Customer 77 was not found"),
    make_line(6, Status.REJECTED, ("78", "Anna"), "Customer 78 was not found"),
    make_line(9, Status.INVALID, message="Full Name: there is no @"),
    make_line(10, Status.FAILED, message="503 Service Unavailable"),
]


def write_with_problems(path: Path) -> None:
    write_results(path, HEADINGS, WITH_PROBLEMS, [("File", "in.csv")], count(WITH_PROBLEMS), PROBLEMS)


@pytest.mark.parametrize(("name", "separator"), [("out.xlsx", "\n"), ("out.csv", " ")])
def test_a_message_says_how_to_fix_it(tmp_path: Path, name: str, separator: str) -> None:
    write_with_problems(tmp_path / name)
    is_book = name.endswith(".xlsx")
    rows = read_back(tmp_path / name, "Results") if is_book else read_csv(tmp_path / name)
    column = RESULT_COLUMNS.index("Message")
    assert [row[column] for row in rows[1:]] == [
        "done",
        "Full Name: there is no @. Write it like anna@example.com."
        f"{separator}customer 163 is also in row 9 (“anna”). Write it like anna@example.com.",
        "Customer 77 was not found. Check the customer id: the service does not know it.",
        "Customer 78 was not found. Check the customer id: the service does not know it.",
        "Full Name: there is no @. Write it like anna@example.com.",
        "503 Service Unavailable. Send it again with Retry on the page, or: bulkupdate retry",
    ]


def test_long_messages_break_their_lines_in_a_row_high_enough(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [make_line(message="wrong " * 60), make_line(3, message="short")])
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"]
    assert sheet.cell(2, RESULT_COLUMNS.index("Message") + 1).alignment.wrap_text
    assert sheet.row_dimensions[2].height >= 5 * 15
    assert sheet.row_dimensions[3].height is None


def test_it_prints_with_headings_row_number_id_and_status_on_each_page(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [make_line()])
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Results"]
    assert (sheet.print_title_cols, sheet.print_title_rows) == ("$A:$C", "$1:$1")
    assert (sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToWidth) == (True, 1)


def test_the_summary_counts_what_went_wrong_and_leads_to_the_first_such_row(tmp_path: Path) -> None:
    write_with_problems(tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    sheet = book["Summary"]
    rows = {row[1].value: row for row in sheet.iter_rows()}
    wrong = [str(text) for text in rows if "row" in str(text)]
    assert rows[wrong[0]][0].value == "invalid: Full Name"
    assert rows[wrong[0]][0].fill.fgColor.rgb == "FFFFC7CE"
    assert wrong == [
        "2 rows: there is no @ (rows 3 and 9)",
        "2 rows: Customer … was not found (rows 5 and 6)",
        "1 row: customer 163 is also in row 9 (row 3)",
        "1 row: 503 Service Unavailable (row 10)",
    ]
    statuses = {row[0].value: row[1] for row in sheet.iter_rows() if row[1].hyperlink and row[1].value in (1, 2)}
    places = {label: cell.hyperlink.location for label, cell in statuses.items()}
    assert places == {
        "updated": "'Results'!A2", "invalid": "'Results'!A3", "rejected": "'Results'!A4", "failed": "'Results'!A7",
    }  # fmt: skip
    first = rows["2 rows: Customer … was not found (rows 5 and 6)"]
    assert (first[0].value, first[1].hyperlink.location) == ("rejected: whole row", "'Results'!A4")
    assert first[2].value == "Check the customer id: the service does not know it."
    assert book["Results"]["A4"].value == 5


def test_links_lead_into_the_second_sheet_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_workbook, "EXCEL_ROWS", 5)
    write_with_problems(tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Summary"]
    places = {row[0].value: row[1].hyperlink.location for row in sheet.iter_rows(max_row=8) if row[1].hyperlink}
    assert (places["rejected"], places["failed"]) == ("'Results'!A4", "'Results 2'!A3")


def test_a_summary_of_a_run_without_problems_says_so(tmp_path: Path) -> None:
    write(tmp_path / "out.xlsx", [make_line()])
    texts = [value for row in openpyxl.load_workbook(tmp_path / "out.xlsx")["Summary"].values for value in row]
    assert "All rows went through." in texts
