"""Corrections of cells, applied each time a file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.customers.models import Correction, Status
from bulkupdate.errors import InputFileError
from bulkupdate.runs.loading.corrections import Corrections, read_corrections, write_corrections
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.input_sheet import hash_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from tests.spreadsheets.reading.making import write_cell


def load(path: Path, *cells: Correction, sha256: str | None = None, sheet: str | None = None) -> CheckedInput:
    corrections = path.with_name("corrections.json")
    write_corrections(corrections, Corrections(sha256 or hash_file(path), sheet, cells))
    return load_input_file(path, Settings(), SheetOptions(corrections=corrections))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("CustomerId,Email,Phone1\n1,bad,1\n2,b@example.com,2\n\n4,d@example.com,3\n")
    return path


def test_the_corrected_text_is_checked_and_sent_and_the_file_is_not_changed(sheet: Path) -> None:
    before = sheet.read_bytes()
    checked = load(sheet, Correction(2, "Email", "bad", "a@example.com"), Correction(5, "Phone1", "3", ""))
    bodies = [row.body for row in checked.rows()]
    assert not checked.problems
    assert bodies[0] == '{"Email": "a@example.com", "Phone1": "1"}'
    assert "Phone1" not in str(bodies[2])
    assert sheet.read_bytes() == before
    assert len(checked.corrections) == 2


def test_a_correction_that_makes_a_new_problem_is_refused_as_the_same_text_in_the_file_would_be(sheet: Path) -> None:
    checked = load(sheet, Correction(2, "CustomerId", "1", "2"), Correction(3, "Email", "b@example.com", "worse"))
    assert sorted((problem.row, problem.code) for problem in checked.problems) == [
        (2, "duplicate"), (2, "email"), (3, "duplicate"), (3, "email"),
    ]  # fmt: skip


def test_a_problem_of_the_cell_itself_ends_with_its_correction(tmp_path: Path) -> None:
    """A number that its format rounds: typed anew, it is a text as any other."""
    path = write_cell(tmp_path, 2.345, "0.0")
    (problem,) = load(path).problems
    (row,) = load(path, Correction(problem.row, problem.column, problem.value, "2.3"), sheet="Customers").rows()
    assert row.status is Status.NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("cell", "sha256", "text"),
    [
        (Correction(2, "Email", "other", "a@example.com"), None, "row 2, Email, is no longer the text"),
        (Correction(4, "Email", "", "a@example.com"), None, "row 4, Email"),
        (Correction(2, "Fax", "", "1"), None, "row 2, Fax"),
        (Correction(2, "Email", "bad", "a@example.com"), "0" * 64, "those of another file"),
    ],
)
def test_a_correction_is_bound_to_its_cell_and_file(
    sheet: Path, cell: Correction, sha256: str | None, text: str
) -> None:
    with pytest.raises(InputFileError, match=text):
        load(sheet, cell, sha256=sha256)


def test_a_second_correction_of_a_cell_keeps_the_text_of_the_file_and_the_file_s_own_text_ends_it() -> None:
    first = Corrections("hash").add([Correction(2, "Email", "bad", "worse")])
    second = first.add([Correction(2, "Email", "worse", "good")])
    assert second.cells == (Correction(2, "Email", "bad", "good"),)
    assert second.add([Correction(2, "Email", "good", "bad")]).cells == ()
    assert first.add([Correction(3, "Fax", "2.3", "2.3")]).cells[1].after == "2.3", "confirmed"
    assert second.remove(2, "Email").cells == ()


def test_a_half_of_a_character_is_kept_in_a_file_that_every_program_can_read(tmp_path: Path) -> None:
    """Half of an emoji, as a cut text may end with it, has no encoding."""
    corrections = Corrections("hash", None, (Correction(2, "Name", "cut \ud83d", "Ann"),))
    write_corrections(tmp_path / "corrections.json", corrections)
    (tmp_path / "corrections.json").read_text(encoding="utf-8")
    assert read_corrections(tmp_path / "corrections.json") == corrections


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x", "sheet_name": null, "cells": [[2]]}'])
def test_corrections_that_cannot_be_read_are_not_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "corrections.json").write_text(text)
    with pytest.raises(InputFileError, match="corrections cannot be read") as refused:
        read_corrections(tmp_path / "corrections.json")
    assert refused.value.remedy == "Undo them."
    assert read_corrections(None) == read_corrections(tmp_path / "none.json") == Corrections("")
