"""A to-fix sheet given back says why the service rejected its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from tests.conftest import write_csv

REASON = "rejected: no customer has this id"
SAID = "rejected when it was sent: no customer has this id"


@pytest.mark.parametrize(
    ("headings", "added", "remedy"),
    [
        (["Row", "Reason", "How to fix"], ["2", REASON, "Correct the id."], "Correct the id."),
        (["Row", "Reason"], ["2", REASON], "Correct what the service names; if that is done, send the row again."),
    ],
)
def test_a_row_is_warned_of_with_the_reason_and_what_to_do(
    tmp_path: Path, headings: list[str], added: list[str], remedy: str
) -> None:
    blank = [""] * len(added)
    lines = [[*headings, "CustomerId", "Name"], [*added, "163", "Ann"], [*blank, "164", "Bert"]]
    lines.append([*added[:1], "invalid: not an e-mail address", *added[2:], "165", "Carl"])
    checked = load_input_file(write_csv(tmp_path / "a.csv", lines), Settings(state_dir=tmp_path), SheetOptions())
    found = [each for each in checked.problems if each.code == "rejected-before"]
    assert [(each.row, each.customer_id, each.message, each.remedy) for each in found] == [(2, "163", SAID, remedy)]
