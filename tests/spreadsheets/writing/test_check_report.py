from __future__ import annotations

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest

from bulkupdate.customers.models import Change, Problem, Severity
from bulkupdate.customers.problem_summary import count_by_column, group_problems
from bulkupdate.spreadsheets.writing import check_report
from bulkupdate.spreadsheets.writing.check_report import write_check_report
from bulkupdate.spreadsheets.writing.html_report import write_html_report
from tests.spreadsheets.writing.samples import ODD_TEXTS, make_problem, read_back

SUMMARY = [("Rows", 3), ("Not checked", "Whether the customers exist.", "Only a run can tell.")]
BODIES = [json.dumps({"Name": text}, ensure_ascii=False) for text in ODD_TEXTS]
PREVIEWS = [(row, "163", body) for row, body in enumerate(BODIES, start=2)]
CHANGES = [Change(2, "163", "Email", "=old", "new\x07"), Change(3, "164", "Fax", "", "1")]
ODD_PROBLEMS = [
    Problem(row, text, text, text, "odd", text, text, severity)
    for row, text in enumerate(ODD_TEXTS, start=2)
    for severity in Severity
]


def write(
    path: Path,
    problems: Sequence[Problem] = (),
    previews: Sequence[tuple[int, str, str]] = (),
    changes: Sequence[Change] | None = None,
) -> openpyxl.Workbook:
    write_check_report(path, problems=problems, previews=iter(previews), changes=changes, summary=SUMMARY)
    return openpyxl.load_workbook(path)


def test_the_preview_is_the_body_byte_for_byte(tmp_path: Path) -> None:
    book = write(tmp_path / "check.xlsx", previews=PREVIEWS)
    assert read_back(tmp_path / "check.xlsx", "Preview")[1:] == [list(row) for row in PREVIEWS]
    through_openpyxl = list(book["Preview"].values)
    assert through_openpyxl[0] == ("Row", "CustomerId", "Body")
    assert through_openpyxl[1:] == PREVIEWS


def test_a_body_too_long_for_a_cell_is_marked(tmp_path: Path) -> None:
    book = write(tmp_path / "check.xlsx", previews=[(2, "163", "x" * 40_000)])
    assert book["Preview"]["C2"].value.endswith("… [shortened: 40,000 characters]")


def test_a_problem_says_where_what_and_how_to_fix_it(tmp_path: Path) -> None:
    book = write(tmp_path / "check.xlsx", [make_problem(5, "E-mail"), make_problem(6, "Fax", "Odd.", warning=True)])
    rows = list(book["Problems"].values)
    assert rows[0] == ("Severity", "Row", "CustomerId", "Column", "Value", "Problem", "How to fix")
    assert rows[1] == ("error", 5, "163", "E-mail", "anna", "There is no @.", "Write it like anna@example.com.")
    assert [row[0] for row in rows[1:]] == ["error", "warning"]
    sheet = book["Problems"]
    assert (sheet.freeze_panes, sheet.print_title_cols, sheet.page_setup.fitToWidth) == ("D2", "$A:$C", 1)
    assert sheet.column_dimensions["D"].width >= len("AccountManager1Commission") + 2
    assert sheet["F2"].alignment.wrap_text


def test_the_summary_has_what_would_happen_and_the_problems_told_once(tmp_path: Path) -> None:
    problems = [make_problem(row, "E-mail") for row in range(5, 317)]
    rows = list(write(tmp_path / "check.xlsx", problems)["Summary"].values)
    assert ("Rows", 3, None) in rows
    assert ("Not checked", "Whether the customers exist.", "Only a run can tell.") in rows
    told = "312 rows: There is no @. — rows 5, 6, 7, 8, 9 and 307 more"
    assert ("error: E-mail", told, "Write it like anna@example.com.") in rows


def test_a_file_without_problems_says_so(tmp_path: Path) -> None:
    assert "No problem was found." in [row[1] for row in write(tmp_path / "check.xlsx")["Summary"].values]


def test_changes_are_a_sheet_only_where_the_live_records_were_read(tmp_path: Path) -> None:
    assert write(tmp_path / "a.xlsx").sheetnames == ["Summary", "Problems", "Preview"]
    sheet = write(tmp_path / "b.xlsx", changes=CHANGES)["Changes"]
    assert list(sheet.values) == [
        ("Row", "CustomerId", "Field", "Before", "After"),
        (2, "163", "Email", "=old", "new␇"),
        (3, "164", "Fax", None, "1"),
    ]


def test_no_cell_is_a_formula_an_error_or_a_link(tmp_path: Path) -> None:
    book = write(tmp_path / "check.xlsx", ODD_PROBLEMS, PREVIEWS, CHANGES)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.hyperlink is None
                assert cell.data_type in ("s", "n")
                assert cell.data_type == "s" or cell.value is None or isinstance(cell.value, int)


def test_more_problems_than_a_sheet_holds_are_cut_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a sheet of five rows instead of a million."""
    monkeypatch.setattr(check_report, "EXCEL_ROWS", 5)
    rows = list(write(tmp_path / "a.xlsx", [make_problem(row, "Fax") for row in range(2, 6)])["Problems"].values)
    assert [row[1] for row in rows] == ["Row", 2, 3, 4, 5]
    rows = list(write(tmp_path / "b.xlsx", [make_problem(row, "Fax") for row in range(2, 7)])["Problems"].values)
    assert [row[1] for row in rows[:-1]] == ["Row", 2, 3, 4]
    assert "not listed" in rows[-1][1]


def test_groups_tell_errors_first_and_the_most_frequent_before_the_others() -> None:
    problems = [
        *(make_problem(row, "Fax", warning=True) for row in range(10, 20)),
        make_problem(4, "Phone1"),
        *(make_problem(row, "E-mail", f"Customer {row} stands twice.") for row in (5, 9, 12)),
    ]
    groups = group_problems(problems)
    assert [(group.column, group.severity, group.count) for group in groups] == [
        ("E-mail", Severity.ERROR, 3), ("Phone1", Severity.ERROR, 1), ("Fax", Severity.WARNING, 10),
    ]  # fmt: skip
    assert [group.title for group in groups] == [
        "3 rows: for example, Customer 5 stands twice.", "1 row: There is no @.", "10 rows: There is no @.",
    ]  # fmt: skip
    assert [group.where for group in groups] == ["rows 5, 9 and 12", "row 4", "rows 10, 11, 12, 13, 14 and 5 more"]
    assert count_by_column(problems) == [("Fax", 0, 10), ("E-mail", 3, 0), ("Phone1", 1, 0)]


class _Page(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "onclick", "onerror")]

    def handle_data(self, data: str) -> None:
        self.text += data


def write_page(path: Path, problems: Sequence[Problem] = (), changes: Sequence[Change] | None = None) -> _Page:
    write_html_report(
        path, title="a<b>.xlsx", problems=problems, previews=iter(PREVIEWS), changes=changes, summary=SUMMARY
    )
    return _Page(path.read_text("utf-8"))


def test_the_page_stands_alone_and_runs_nothing(tmp_path: Path) -> None:
    page = write_page(tmp_path / "check.html", ODD_PROBLEMS, CHANGES)
    assert not {"script", "link", "img", "iframe", "form", "r"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert "url(" not in (tmp_path / "check.html").read_text("utf-8")


def test_the_page_shows_texts_as_texts(tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\x07'
    page = write_page(tmp_path / "check.html", [Problem(2, evil, evil, evil, "odd", evil, evil)])
    assert not {"script", "img"} & set(page.tags)
    assert evil.replace("\x07", "␇") in page.text
    assert "Check of a<b>.xlsx" in page.text


def test_the_page_says_the_same_as_the_workbook(tmp_path: Path) -> None:
    problems = [make_problem(5, "E-mail"), make_problem(6, "", "Odd.", warning=True)]
    page = write_page(tmp_path / "check.html", problems, CHANGES)
    for told in (
        "Whether the customers exist.", "Only a run can tell.", "1 row: There is no @.", "whole row", "1 error",
        "1 warning", "Write it like anna@example.com.", '{"Name": "=1+1"}', "new␇",
    ):  # fmt: skip
        assert told in page.text
    assert "Changes" not in write_page(tmp_path / "check.html").text


def test_the_page_stays_small_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    page = write_page(tmp_path / "check.html", [make_problem(row, f"C{row}") for row in range(20_000)])
    assert (tmp_path / "check.html").stat().st_size < 1_000_000
    for told in ("… and 19,500 more.", "… and 19,976 more columns.", "… and 19,800 more kinds of problems."):
        assert told in page.text
    long = write_page(tmp_path / "check.html", [make_problem(2, "Fax", "x" * 9_000)])
    assert "[shortened: 9,000 characters]" in long.text


def test_a_short_column_name_never_breaks_within_a_word_on_the_page(tmp_path: Path) -> None:
    problems = [make_problem(4, "Commission 1"), make_problem(5, "x" * 200)]
    write_html_report(tmp_path / "r.html", title="t", problems=problems, previews=(), changes=None, summary=())
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert page.count('<td class="name">Commission 1</td>') == 2
    assert ".name { overflow-wrap: normal; }" in page
    assert f"<td>{'x' * 200}</td>" in page
