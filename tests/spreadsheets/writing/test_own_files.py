from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from shutil import which

import openpyxl
import pytest

from bulkupdate.customers.models import RESULT_COLUMNS
from bulkupdate.spreadsheets.writing.annotated_copy import write_annotated_copy
from bulkupdate.spreadsheets.writing.check_report import write_check_report
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.html_report import write_html_report
from bulkupdate.spreadsheets.writing.matched_sheet import MatchedTable, write_matched_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFile, OwnFileKind, find_own_file, find_own_kind
from bulkupdate.spreadsheets.writing.results_workbook import write_results
from bulkupdate.spreadsheets.writing.row_file import write_row_file
from bulkupdate.spreadsheets.writing.template_sheet import write_template
from bulkupdate.spreadsheets.writing.to_fix_sheet import write_to_fix
from tests.spreadsheets.writing.samples import count, make_line, make_problem

HEADINGS = ("Customer ID", "Full Name")
LINES = [make_line()]


def write_copy(path: Path) -> None:
    source = path.with_name("source.xlsx")
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    book.active.append(["163", "Anna"])
    book.properties.creator = "Anna"
    book.save(source)
    write_annotated_copy(
        source, path, sheet_name="Sheet", heading_row=1, headings=HEADINGS, key_heading=HEADINGS[0],
        problems=[make_problem(2, HEADINGS[0])],
    )  # fmt: skip


def write_matched(path: Path) -> None:
    table = MatchedTable(HEADINGS, [2], [("163", "Anna")], 0, {2: "found"}, (0, 1))
    write_matched_sheet(path, table, path.with_name("source.csv"), None, 1)


def write_page(path: Path) -> None:
    write_html_report(path, title="t", problems=(), previews=(), changes=None, summary=())


WRITERS: dict[OwnFileKind, tuple[str, Callable[[Path], None]]] = {
    OwnFileKind.TEMPLATE: ("a.xlsx", write_template),
    OwnFileKind.RESULTS: ("a.xlsx", lambda path: write_results(path, HEADINGS, LINES, [], count(LINES))),
    OwnFileKind.TO_FIX: ("a.xlsx", lambda path: write_to_fix(path, HEADINGS, LINES)),
    OwnFileKind.CHECK_REPORT: (
        "a.xlsx",
        lambda path: write_check_report(path, problems=(), previews=(), changes=None, summary=()),
    ),
    OwnFileKind.CHECK_PAGE: ("a.html", write_page),
    OwnFileKind.ANNOTATED_COPY: ("a.xlsx", write_copy),
    OwnFileKind.ROWS: ("a.parquet", lambda path: write_row_file(path, LINES, count(LINES))),
    OwnFileKind.EXPORT: (
        "a.xlsx",
        lambda path: write_customer_sheet(path, ["Name"], [("1", "A")], (), OwnFileKind.EXPORT),
    ),
    OwnFileKind.MATCHED: ("a.xlsx", write_matched),
    OwnFileKind.UNDO: ("a.xlsx", lambda path: write_customer_sheet(path, ["Name"], [("1", "A")], (), OwnFileKind.UNDO)),
}


@pytest.mark.parametrize("kind", OwnFileKind)
def test_every_kind_of_file_is_recognised_as_written(tmp_path: Path, kind: OwnFileKind) -> None:
    name, write = WRITERS[kind]
    write(tmp_path / name)
    assert find_own_kind(tmp_path / name) is kind


WORKBOOKS = [kind for kind in OwnFileKind if WRITERS[kind][0].endswith(".xlsx")]


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_workbook_that_was_saved_by_another_program_is_the_users_work(tmp_path: Path, kind: OwnFileKind) -> None:
    path = tmp_path / "a.xlsx"
    WRITERS[kind][1](path)
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["B2"] = "typed by a user"
    book.save(path)
    assert find_own_kind(path) is None
    assert find_own_file(path) == OwnFile(kind, is_edited=True)


def test_a_csv_file_that_is_made_to_be_edited_is_the_users_work(tmp_path: Path) -> None:
    """Ids are filled in where none was found, and nothing would show it."""
    write_matched(tmp_path / "a.csv")
    assert find_own_kind(tmp_path / "a.csv") is None


@pytest.mark.skipif(which("soffice") is None, reason="LibreOffice is not installed")
def test_a_workbook_that_libreoffice_saved_is_the_users_work(tmp_path: Path) -> None:
    write_template(tmp_path / "a.xlsx")
    (tmp_path / "saved").mkdir()
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to", "xlsx",
         "--outdir", "saved", "a.xlsx"], cwd=tmp_path, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert find_own_file(tmp_path / "saved" / "a.xlsx") == OwnFile(OwnFileKind.TEMPLATE, is_edited=True)


def test_one_part_replaced_is_enough_to_be_edited(tmp_path: Path) -> None:
    write_template(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for entry in old.infolist():
            is_sheet = entry.filename == "xl/worksheets/sheet1.xml"
            new.writestr(entry, old.read(entry) + b"\n" * is_sheet)
    assert find_own_kind(tmp_path / "b.xlsx") is None


def test_the_authors_of_workbooks_are_told_truly(tmp_path: Path) -> None:
    write_copy(tmp_path / "copy.xlsx")
    write_template(tmp_path / "template.xlsx")
    creators = [openpyxl.load_workbook(tmp_path / f"{name}.xlsx").properties.creator for name in ("copy", "template")]
    assert creators == ["Anna", "bulkupdate"]


def test_a_copy_of_our_own_workbook_is_marked_once_and_as_a_copy(tmp_path: Path) -> None:
    source = tmp_path / "fix.xlsx"
    write_to_fix(source, HEADINGS, LINES)
    write_annotated_copy(
        source, tmp_path / "copy.xlsx", sheet_name="Customers", heading_row=1, headings=HEADINGS,
        key_heading=HEADINGS[0], problems=[make_problem(2, HEADINGS[0])],
    )  # fmt: skip
    assert find_own_kind(tmp_path / "copy.xlsx") is OwnFileKind.ANNOTATED_COPY


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (",".join(RESULT_COLUMNS) + ",Name\n2,163,updated,,,,,,Anna\n", OwnFileKind.RESULTS),
        ("CustomerId,Name\r\n", OwnFileKind.TEMPLATE),
        ("CustomerId,Name\n163,Anna\n", None),
        ("CustomerId,My own\n", None),
        ("CustomerId\n", None),
        ("", None),
    ],
)
def test_a_csv_file_is_recognised_by_its_headings(tmp_path: Path, text: str, kind: OwnFileKind | None) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8-sig")
    assert find_own_kind(tmp_path / "a.csv") is kind


def test_files_that_are_not_ours_have_no_kind(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.properties.creator = "bulkupdate"
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "page.html").write_text("<html>bulkupdate check page</html>")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder.xlsx").mkdir()
    names = ("a.xlsx", "broken.xlsx", "page.html", "notes.txt", "folder.xlsx", "missing.xlsx")
    assert [find_own_kind(tmp_path / name) for name in names] == [None] * len(names)
