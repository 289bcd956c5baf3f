"""The process that checks an upload."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading import cell_checks
from bulkupdate.web.check_worker import CheckTask, work
from bulkupdate.web.upload_store import Upload
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
