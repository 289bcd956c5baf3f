"""A loaded file: what identifies it, and which of its cells can be corrected."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from bulkupdate.customers.models import Correction, Severity
from bulkupdate.runs.loading.corrections import Corrections, write_corrections
from bulkupdate.runs.loading.input_file import load_frame, load_input_file
from bulkupdate.runs.loading.input_sheet import hash_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from tests.conftest import write_csv

LINES: list[list[object]] = [["CustomerId", "Name", "Lieblingsfarbe"], [7, "a", "x"], [8, "", ""], ["nine", "c", ""]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def test_what_was_read_is_counted_and_identified(tmp_path: Path, settings: Settings) -> None:
    file = write_csv(tmp_path / "a.csv", LINES)
    found = load_input_file(file, settings, SheetOptions(ignore_unknown=True))
    assert (found.to_send, found.invalid, len(found.checked)) == (1, 1, 3)
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (found.path, found.shown_as, found.sheet_name, found.heading_row) == (file, None, None, 1)
    assert (found.fields, found.original_headings) == (("Name",), ("CustomerId", "Name", "Lieblingsfarbe"))
    assert (found.live_key, found.matched, found.key_arguments) == (None, None, ())
    assert [row.number for row in found.rows()] == [2, 3, 4]
    assert [problem.row for problem in found.problems if problem.severity is Severity.ERROR] == [4]


def test_with_a_key_all_columns_of_the_file_can_be_corrected_but_not_the_ids_that_were_found(
    tmp_path: Path, settings: Settings
) -> None:
    lookup = write_csv(tmp_path / "ids.csv", [["CustomerId", "Email"], [7, "a@example.com"]])
    file = write_csv(tmp_path / "a.csv", [["Email", "Fax"], ["a@example.com", "1"]])
    found = load_input_file(file, settings, SheetOptions(key="Email", lookup=lookup))
    assert [found.original_headings[at] for at in found.correctable] == ["Email", "Fax"]
    assert len(found.original_headings) == 3
    assert [(row.customer_id, row.body) for row in found.rows()] == [("7", '{"Fax": "1"}')]
    assert found.key_arguments == ("--key", "Email", "--lookup", lookup)
    own = load_input_file(write_csv(tmp_path / "b.csv", LINES), settings, SheetOptions(ignore_unknown=True))
    assert [own.original_headings[at] for at in own.correctable] == ["CustomerId", "Name"]


def test_corrected_cells_are_sent_and_told(tmp_path: Path, settings: Settings) -> None:
    file = write_csv(tmp_path / "a.csv", LINES)
    cell = Correction(2, "Name", "a", "b")
    write_corrections(tmp_path / "c.json", Corrections(hash_file(file), None, (cell,)))
    options = SheetOptions(ignore_unknown=True, corrections=tmp_path / "c.json")
    found = load_input_file(file, settings, options)
    assert found.corrections == (cell,)
    assert next(row.body for row in found.rows()) == '{"Name": "b"}'


def test_a_data_frame_has_no_path_but_a_name(settings: Settings) -> None:
    found = load_frame(pd.DataFrame({"CustomerId": [7, 8], "Name": ["a", "b"]}), settings, SheetOptions())
    assert found.shown_as == str(found.path)
    assert [(row.customer_id, row.body) for row in found.rows()] == [("7", '{"Name": "a"}'), ("8", '{"Name": "b"}')]
