"""Customers looked up in a second sheet, the live key that goes with a sheet, and the sheet with the ids filled in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions, make_read_options
from bulkupdate.runs.matching.key import find_key
from bulkupdate.runs.matching.live_key import LiveKey, make_live_key
from bulkupdate.runs.matching.lookup import Lookup, read_lookup
from bulkupdate.runs.matching.matched_file import default_matched_path, write_matched_file
from bulkupdate.runs.matching.matched_input import MatchedSheet
from bulkupdate.runs.matching.matches import Candidate, Outcome
from bulkupdate.settings import Settings
from tests.conftest import read_results, write_csv

Lines = Sequence[Sequence[object]]

CUSTOMERS: Lines = [
    ["CustomerId", "Nr", "Name", "E-Mail"],
    [11, "K-1", "Anna", "a@x.com"], [12, "K-2", "", "b@x.com"], [13, " K-2 ", "Carl", ""],
    [11, "K-1", "Anna again", ""], ["", "K-3", "", ""], [14, "", "", ""],
]  # fmt: skip


def read(path: Path, key: str = "Nr") -> Lookup:
    return read_lookup(path, find_key(key, {}), make_read_options(Settings(), SheetOptions()))


def load(folder: Path, lines: Lines, lookup: Lines = CUSTOMERS, key: str = "Nr") -> MatchedSheet:
    options = SheetOptions(key=key, lookup=write_csv(folder / "list.csv", lookup))
    checked = load_input_file(write_csv(folder / "sheet.csv", lines), Settings(), options)
    assert checked.matched is not None
    return checked.matched


def test_customers_are_found_by_their_keys_once_each(tmp_path: Path) -> None:
    found = read(write_csv(tmp_path / "list.csv", CUSTOMERS)).customers
    assert found == {
        "K-1": (Candidate("11", "Anna", "", "a@x.com"),),
        "K-2": (Candidate("12", "", "", "b@x.com"), Candidate("13", "Carl", "", "")),
    }


def test_the_sheet_is_described_with_its_age(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "list.csv", CUSTOMERS)
    os.utime(path, (1_800_000_000, 1_800_000_000))
    text = read(path).describe(1_800_000_000 + 7200)
    assert text.startswith("The customers were looked up in list.csv (3 customers), which was saved at ")
    assert text.endswith(", 2 h 00 min ago. Later changes are not in it.")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([["CustomerId", "Nr"], ["12a", "1"], [0, "2"], [3, "3"]],
         "2 of its rows hold no valid customer id (rows 2 and 3)"),
        ([["CustomerId", "Nr"], *([1, "#N/A"] for _ in range(7))],
         "7 of its rows cannot be read for certain (rows 2, 3, 4, 5, 6 and 2 more)"),
        ([["CustomerId", "Nr"], ["#REF!", "1"], [2, "2"]], "1 of its rows"),
        ([["CustomerId", "Name"], [1, "x"]], "has no column “Nr”"),
    ],
)  # fmt: skip
def test_a_lookup_sheet_that_is_in_doubt_is_refused(tmp_path: Path, lines: Lines, message: str) -> None:
    path = write_csv(tmp_path / "list.csv", lines)
    with pytest.raises(InputFileError) as caught:
        read(path)
    assert message in str(caught.value)
    assert f"he lookup sheet {path}" in str(caught.value)


def test_what_is_in_doubt_elsewhere_in_a_lookup_sheet_does_not_matter(tmp_path: Path) -> None:
    lines = [["CustomerId", "Nr", "Name"], [1, "1", "#N/A"]]
    assert [each.customer_id for each in read(write_csv(tmp_path / "list.csv", lines)).customers["1"]] == ["1"]


SHEET: Lines = [["Nr", "Comments"], ["K-1", "A"], [" K-2", "B"], ["K-9", "C"], ["#N/A", "D"]]


def test_a_sheet_gets_the_ids_that_are_certain(tmp_path: Path) -> None:
    matched = load(tmp_path, SHEET)
    assert [(match.outcome, match.customer_id) for match in matched.matches] == [
        (Outcome.MATCHED, "11"), (Outcome.AMBIGUOUS, ""), (Outcome.NO_MATCH, ""), (Outcome.NO_MATCH, ""),
    ]  # fmt: skip
    assert (matched.is_id_added, matched.is_looked_up, matched.requests) == (True, True, 0)
    assert matched.sheet.headings == ("Nr", "Comments", CUSTOMER_ID.name)
    assert matched.sheet.frame.iloc[:, 2].tolist() == ["11", "", "", ""]
    assert matched.describe_counts() == "Customers found by Nr: 4 rows: 1 matched, 2 no match, 1 ambiguous."
    assert matched.count() == {Outcome.MATCHED: 1, Outcome.NO_MATCH: 2, Outcome.AMBIGUOUS: 1}
    assert [(each.row, each.code, each.column) for each in matched.sheet.problems] == [
        (5, "error-cell", "Nr"), (3, "ambiguous-match", "CustomerId"), (4, "no-match", "CustomerId"),
        (5, "no-match", "CustomerId"),
    ]  # fmt: skip
    assert any("looked up in list.csv" in note for note in matched.notes)


def test_each_row_says_how_its_customer_was_found(tmp_path: Path) -> None:
    lines = [
        ["CustomerId", "Nr", "Comments"],
        ["", "K-1", "A"],
        ["", "K-2", "B"],
        [" 77 ", "", "C"],
        ["x7", "K-9", "D"],
    ]
    matched = load(tmp_path, lines)
    assert [matched.explain(match) for match in matched.matches] == [
        "found by Nr: Anna, a@x.com",
        "2 customers have the Nr “K-2”: 12; 13 (Carl)",
        "the id is the sheet's own",
        "the id is the sheet's own",
    ]
    assert [match.customer_id for match in matched.matches] == ["11", "", "77", "x7"]
    assert not matched.is_id_added
    assert list(matched.list_lines()) == [
        (2, "K-1", "matched", "11", "11", "Anna", "", "a@x.com"),
        (3, "K-2", "ambiguous", "", "12", "", "", "b@x.com"), (3, "K-2", "ambiguous", "", "13", "Carl", "", ""),
        (4, "", "id in the sheet", "77", "", "", "", ""), (5, "K-9", "id in the sheet", "x7", "", "", "", ""),
    ]  # fmt: skip


def test_a_customer_without_names_is_found_by_its_key_alone(tmp_path: Path) -> None:
    matched = load(tmp_path, [["Nr", "Comments"], ["1", "A"]], [["CustomerId", "Nr"], [5, "1"]])
    assert matched.explain(matched.matches[0]) == "found by Nr"


def test_a_sheet_is_written_with_its_ids_and_how_they_were_found(tmp_path: Path) -> None:
    matched = load(tmp_path, SHEET[:3])
    path = default_matched_path(tmp_path / "sheet.csv")
    assert write_matched_file(path, tmp_path / "sheet.csv", matched.sheet, matched) == []
    assert [list(line.values()) for line in read_results(path)] == [
        ["K-1", "A", "11", "found by Nr: Anna, a@x.com"],
        [" K-2", "B", "", "2 customers have the Nr “K-2”: 12; 13 (Carl)"],
    ]


def test_ids_are_written_into_the_column_that_the_sheet_has_for_them(tmp_path: Path) -> None:
    lines: list[list[object]] = [["Nr", "Comments", "CustomerId"], ["K-1", "A", ""], ["", "B", "77"]]
    matched = load(tmp_path, lines)
    path = default_matched_path(tmp_path / "sheet.csv")
    assert write_matched_file(path, tmp_path / "sheet.csv", matched.sheet, matched) == []
    assert [list(line.values())[:3] for line in read_results(path)] == [["K-1", "A", "11"], ["", "B", "77"]]


@pytest.mark.parametrize(
    ("source", "path"),
    [("a.csv", "a-matched.csv"), ("a.TSV", "a-matched.csv"), ("a.txt", "a-matched.csv"), ("a.xls", "a-matched.xlsx")],
)
def test_a_matched_sheet_is_beside_its_file(source: str, path: str) -> None:
    assert default_matched_path(Path("folder", source)) == Path("folder", path)


def test_a_key_to_be_searched_needs_a_search(tmp_path: Path) -> None:
    sheet = write_csv(tmp_path / "sheet.csv", [["CustomerId", "Email", "Name"], ["", "a@x.com", "A"]])
    with pytest.raises(UsageError, match="--key Email needs a search of the service") as caught:
        load_input_file(sheet, Settings(), SheetOptions(key="Email"))
    assert "bulkupdate match" in str(caught.value.remedy)
    write_csv(sheet, [["CustomerId", "Email", "Name"], [7, "a@x.com", "A"]])
    matched = load_input_file(sheet, Settings(), SheetOptions(key="Email")).matched
    assert matched is not None
    assert matched.find_live_key(["CustomerId", "Email", "Name"]) == LiveKey("Email", "Email", 1)
    write_csv(sheet, [["CustomerId", "Name", "Fax"], [7, "Anna Roe", "1"]])
    matched = load_input_file(sheet, Settings(), SheetOptions(key="Name")).matched
    assert matched is not None
    assert matched.find_live_key(["CustomerId", "Name", "Fax"]) is None, "the list has first and last names"


@pytest.mark.parametrize("key", ["Nr", "Email"])
def test_a_key_of_a_lookup_sheet_is_not_compared_with_live_customers(tmp_path: Path, key: str) -> None:
    headings = ["CustomerId", key, "Name"]
    matched = load(tmp_path, [headings, [7, "K-1", "A"]], key=key)
    assert matched.find_live_key(headings) is None


@pytest.mark.parametrize(
    ("cell", "live", "message"),
    [
        ("a@x.com", {"Email": "A@X.com "}, None),
        (" ", {"Email": "b@x.com"}, None),
        ("a@x.com", {}, None),
        ("a@x.com", {"Email": "b@x.com"}, "customer 7 has “b@x.com”, not “a@x.com”"),
        ("a@x.com", {"Email": ""}, "customer 7 has none, not “a@x.com”"),
    ],
)
def test_a_live_customer_with_another_key_is_a_conflict(cell: str, live: dict[str, str], message: str | None) -> None:
    key = make_live_key("Email", "Mail", ["CustomerId", "Mail", "Name"])
    assert key == LiveKey("Email", "Mail", 1)
    problem = key.find_conflict(3, "7", ["7", cell, "A"], live)
    if message is None:
        assert problem is None
        return
    assert problem is not None
    assert (problem.row, problem.customer_id, problem.column, problem.value) == (3, "7", "Mail", cell)
    assert (problem.message, problem.remedy) == (message, "Correct the id or the key; without a key, the id counts.")


def test_a_refused_key_is_marked_in_its_own_cell() -> None:
    key = LiveKey("Email", "Mail", 1)
    assert key.mark(["7", "a@x.com", "A"], "no") == ("7", "a@x.com [bulkupdate:\u00a0no]", "A")
    assert make_live_key("", "Mail", ["CustomerId"]) is None
