"""A sheet that is read: it is the file that was there, and identified by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.loading import input_sheet
from bulkupdate.runs.loading.input_sheet import hash_file, read_input_sheet
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from tests.conftest import write_csv

LINES: list[list[object]] = [["CustomerId", "Name"], [7, "a"], [8, ""]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def test_a_file_that_is_changed_while_it_is_read_is_refused(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_csv(tmp_path / "a.csv", LINES)

    def read_slowly(path: Path, options: ReadOptions) -> Sheet:
        found = read_sheet(path, options)
        path.write_text(path.read_text() + "10,d\n")
        return found

    monkeypatch.setattr(input_sheet, "read_sheet", read_slowly)
    with pytest.raises(InputFileError, match="was changed while it was read"):
        read_input_sheet(file, settings, SheetOptions())


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (SheetOptions(lookup=Path("ids.csv")), "A lookup sheet needs --key."),
        (SheetOptions(check_ids=True), "--check-ids needs --key."),
    ],
)
def test_an_option_for_keys_needs_a_key(tmp_path: Path, settings: Settings, options: SheetOptions, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_input_sheet(write_csv(tmp_path / "a.csv", LINES), settings, options)


def test_only_files_have_a_hash(tmp_path: Path) -> None:
    assert hash_file(tmp_path) == hash_file(tmp_path / "none.csv") == ""


def test_a_file_without_read_permission_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = write_csv(tmp_path / "a.csv", LINES)
    assert hash_file(sheet) == hashlib.sha256(sheet.read_bytes()).hexdigest()

    def refuse(*_given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputFileError, match=r"a\.csv"):
        hash_file(sheet)
