"""The process that checks an upload."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading import cell_checks
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.check_worker import CheckTask, report_path, work
from bulkupdate.web.uploads.upload_store import Upload
from tests.spreadsheets.reading.making import write_cell


def test_a_bug_that_a_cell_triggers_is_a_sentence_on_the_page_and_a_crash_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_checks, "show_number", lambda *_, **__: 1 / 0)
    stored = write_cell(tmp_path, 0.5, "# ?/?").name
    upload = Upload("1", "anna", "host", "May.xlsx", stored, "", "", ".", False, tmp_path, "", None)
    work(CheckTask(upload, Settings(state_dir=tmp_path / "state")))
    (told,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
    assert told["message"].startswith("May.xlsx cannot be read: the program itself failed")
    (report,) = (tmp_path / "state").rglob("*.txt")
    assert "show_number" in report.read_text()


def test_a_report_has_no_links_to_a_copy_that_is_downloaded_under_another_name(tmp_path: Path) -> None:
    book = Workbook()
    for line in (["CustomerId", "Email"], [163, "anna"]):
        book.active.append(line)
    book.save(tmp_path / "upload.xlsx")
    upload = Upload("1", "anna", "host", "May.xlsx", "upload.xlsx", "", "", ".", False, tmp_path, "", None)
    work(CheckTask(upload, Settings(state_dir=tmp_path / "state"), is_report=True))
    assert annotated_path(report_path(upload)).exists()
    cell = load_workbook(report_path(upload))["Problems"]["B2"]
    assert (cell.value, cell.hyperlink) == (2, None)


def test_a_check_that_ends_after_its_sheet_is_read_in_another_way_counts_no_longer(tmp_path: Path) -> None:
    (tmp_path / "upload.csv").write_text("CustomerId,AccountManager1Commission\n163,1\n")
    upload = Upload("1", "anna", "host", "May.csv", "upload.csv", "", "", ".", False, tmp_path, "", None)
    work(CheckTask(upload, Settings(state_dir=tmp_path / "state")))
    assert read_outcome(upload) is not None
    assert read_outcome(replace(upload, revision=1)) is None
