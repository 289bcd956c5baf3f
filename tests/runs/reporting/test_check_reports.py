"""Where the reports of a check are written, and where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from bulkupdate.errors import UsageError
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.reporting import check_reports
from bulkupdate.runs.reporting.check_reports import require_report_places, write_check
from bulkupdate.settings import Settings
from tests.conftest import FIRST, write_csv


def write_book(path: Path, *rows: list[object]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("taken", "report", "page"),
    [("r.html", None, "r.html"), ("r.xlsx", "r.xlsx", None), ("r-annotated.xlsx", "r.xlsx", None)],
)
def test_a_file_of_the_users_is_only_overwritten_if_that_is_said(
    tmp_path: Path, taken: str, report: str | None, page: str | None
) -> None:
    places = [None if name is None else tmp_path / name for name in (report, page)]
    source = write_csv(tmp_path / "a.csv", [["CustomerId"]])
    require_report_places(source, *places)
    (tmp_path / taken).write_text("mine")
    with pytest.raises(UsageError, match=taken):
        require_report_places(source, *places)
    require_report_places(source, *places, force=True)


@pytest.mark.parametrize(("report", "page"), [("a.xlsx", None), (None, "a.xlsx")])
def test_no_report_takes_the_place_of_the_sheet(tmp_path: Path, report: str | None, page: str | None) -> None:
    sheet = write_book(tmp_path / "a.xlsx", ["CustomerId", "Email"], [FIRST, "no address"])
    before = sheet.read_bytes()
    checked = load_input_file(sheet, Settings(), SheetOptions())
    places = [None if name is None else tmp_path / name for name in (report, page)]
    with pytest.raises(UsageError):
        write_check(checked, Settings(), *places)
    assert sheet.read_bytes() == before


@pytest.mark.parametrize(
    ("email", "is_text", "is_copied"),
    [("no address", False, True), ("a@b.cd", False, False), ("no address", True, False)],
)
def test_a_workbook_with_problems_gets_a_copy_with_marks(
    tmp_path: Path, email: str, is_text: bool, is_copied: bool
) -> None:
    rows: list[list[object]] = [["CustomerId", "Email"], [FIRST, email]]
    sheet = write_csv(tmp_path / "a.csv", rows) if is_text else write_book(tmp_path / "a.xlsx", *rows)
    checked = load_input_file(sheet, Settings(), SheetOptions())
    report, page = tmp_path / "r.xlsx", tmp_path / "r.html"
    written = write_check(checked, Settings(), report, page)
    assert (written.workbook, written.page) == (report, page)
    assert (written.annotated is not None) == is_copied
    assert all(path.stat().st_size for path in written.paths)
    assert len(written.paths) == 2 + is_copied
    none = write_check(checked, Settings(), None, None)
    assert (none.paths, none.notes) == ((), ())


@pytest.mark.parametrize("is_downloaded", [False, True])
def test_the_problems_of_a_report_lead_to_the_copy_beside_it_unless_that_gets_another_name(
    tmp_path: Path, is_downloaded: bool
) -> None:
    sheet = write_book(tmp_path / "a.xlsx", ["CustomerId", "Email"], [FIRST, "no address"])
    options = {"is_downloaded": True} if is_downloaded else {}
    write_check(load_input_file(sheet, Settings(), SheetOptions()), Settings(), tmp_path / "r.xlsx", None, **options)
    link = load_workbook(tmp_path / "r.xlsx")["Problems"]["B2"].hyperlink
    assert (link.target if link else None) == (None if is_downloaded else "r-annotated.xlsx")


def test_the_copy_of_a_sheet_without_ids_has_its_marks_where_its_own_columns_are(tmp_path: Path) -> None:
    """The ids that a lookup has found are no column of it."""
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Email"], [FIRST, "a@b.cd"]])
    sheet = write_book(tmp_path / "a.xlsx", ["Email", "Rating"], ["a@b.cd", "Superb"], ["no@b.cd", "2"])
    checked = load_input_file(sheet, Settings(), SheetOptions(key="Email", lookup=lookup))
    written = write_check(checked, Settings(), tmp_path / "r.xlsx", None)
    assert written.annotated is not None
    copied = load_workbook(written.annotated).worksheets[0]
    assert [cell.value for cell in copied[1]][:2] == ["Email", "Rating"]
    assert copied["B2"].comment is not None
    assert copied["A3"].comment is not None
    assert copied["A2"].comment is None


def test_a_copy_that_cannot_be_written_is_noted_and_the_check_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_options: object) -> None:
        raise UsageError("The disk is full.", remedy="Free some space.")

    monkeypatch.setattr(check_reports, "write_annotated_copy", refuse)
    sheet = write_book(tmp_path / "a.xlsx", ["CustomerId", "Email"], [FIRST, "no address"])
    written = write_check(load_input_file(sheet, Settings(), SheetOptions()), Settings(), tmp_path / "r.xlsx", None)
    assert (written.annotated, written.notes) == (None, ("The disk is full. Free some space.",))
    assert written.workbook == tmp_path / "r.xlsx"
