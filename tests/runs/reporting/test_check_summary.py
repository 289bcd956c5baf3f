"""What a dry run says: rows by status, what sending costs, what a comparison found, and what it could not check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bulkupdate.customers.models import Change, CheckedRow, Finding, Problem, Status
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import ExitCode
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.reporting.check_summary import (
    WrittenReports,
    count_rows,
    list_problems,
    preview,
    report_check,
    summarise_check,
)
from bulkupdate.settings import Settings
from bulkupdate.text import SuggestedCommand
from tests.conftest import write_csv

NO_WAIT = "no waiting for quota, if none of it is used yet"


@pytest.fixture
def checked(tmp_path: Path) -> CheckedInput:
    """Four rows to send, one without a value, and one with a bad one."""
    rows = [[7, "a", ""], [8, "b", ""], [9, "", ""], [10, "d", ""], [11, "e", "no address"], [12, "f", ""]]
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name", "Email"], *rows])
    return load_input_file(sheet, Settings(), SheetOptions())


def find(code: ProblemCode, row: int, message: str = "") -> Problem:
    return Finding.error(code, message).at(row=row, customer_id="8", column="CustomerId", value="8")


def compare(*problems: Problem, same: int = 1, changes: int = 2) -> LiveFindings:
    found = tuple(Change(2, "7", "Name", f"before {at}", "a") for at in range(changes))
    return LiveFindings(found, problems, same, 5)


def test_a_check_without_a_comparison_says_so(checked: CheckedInput) -> None:
    lines = summarise_check(checked, 100)
    told = dict(lines)
    assert [told[name] for name in ("Rows", "Valid, to be sent", "Invalid", "Nothing to send")] == [6, 4, 1, 1]
    assert (told["Requests needed"], told["Time needed"]) == (5, NO_WAIT)
    assert told["File"] == str(checked.path)
    assert "Sheet" not in told
    assert "Unknown customers" not in told
    not_checked = [text for label, text in lines if label == "Not checked"]
    assert [text for text in not_checked if "check --live" in str(text) or "doctor" in str(text)] == not_checked[::3]


def test_a_comparison_says_what_it_cost_and_found(checked: CheckedInput) -> None:
    lines = summarise_check(checked, 100, compare())
    told = dict(lines)
    assert told["Requests used to read the customers"] == 5
    assert told["Share of an hour's quota"] == "5.0%"
    assert (told["Unknown customers"], told["Rows without changes"], told["Rows that differ"]) == (0, 1, 3)
    assert (told["Fields that would change"], told["Requests with --only-changes"]) == (2, 3 + 5)
    assert "Customers with another key" not in told
    assert len([label for label, _ in lines if label == "Not checked"]) == 2


def test_customers_that_are_unknown_or_have_another_key_count_as_invalid(checked: CheckedInput) -> None:
    live = compare(find(ProblemCode.UNKNOWN_CUSTOMER, 3), find(ProblemCode.KEY_CONFLICT, 5, "has another"))
    told = dict(summarise_check(checked, 0, live))
    assert (told["Valid, to be sent"], told["Invalid"], told["Rows that differ"]) == (2, 3, 1)
    assert (told["Unknown customers"], told["Customers with another key"]) == (1, 1)
    assert "Share of an hour's quota" not in told
    counts = count_rows(checked, live)
    assert counts == {Status.NOT_ATTEMPTED: 2, Status.INVALID: 3, Status.UNCHANGED: 1}
    assert count_rows(checked, None)[Status.INVALID] == 1
    assert [problem.row for problem in list_problems(checked, live)] == [3, 5, 6]


def test_if_only_the_ids_were_looked_up_nothing_is_said_of_changes(checked: CheckedInput) -> None:
    told = dict(summarise_check(checked, 100, LiveFindings(None, (), 0, 1)))
    assert "Rows that differ" not in told
    assert told["Requests used to read the customers"] == 1


@pytest.mark.parametrize(
    ("per_hour", "expected"),
    [
        (0, NO_WAIT),
        (5, NO_WAIT),
        (4, "at least 1 h 00 min, as the service allows 4 requests an hour"),
        (2, "at least 2 h 00 min, as the service allows 2 requests an hour"),
    ],
)
def test_what_does_not_fit_into_an_hour_waits(checked: CheckedInput, per_hour: int, expected: str) -> None:
    assert dict(summarise_check(checked, per_hour))["Time needed"] == expected


def test_a_sheet_with_nothing_to_send_costs_nothing(tmp_path: Path) -> None:
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], [7, ""]])
    empty = load_input_file(sheet, Settings(), SheetOptions())
    told = dict(summarise_check(empty, 100, compare(same=0, changes=0)))
    assert (told["Requests needed"], told["Requests with --only-changes"]) == (0, 0)


def test_the_preview_has_the_rows_that_would_be_sent(checked: CheckedInput) -> None:
    assert list(preview(checked.rows())) == [
        (2, "7", '{"Name": "a"}'), (3, "8", '{"Name": "b"}'), (5, "10", '{"Name": "d"}'), (7, "12", '{"Name": "f"}'),
    ]  # fmt: skip
    assert list(preview([CheckedRow(2, "7", Status.REJECTED, '{"Name": "a"}', ("Name",), ())])) == []


def test_what_the_callers_users_need_not_know_is_left_out(checked: CheckedInput) -> None:
    lines = summarise_check(checked, 100, word=lambda text: "" if "doctor" in text else text.upper())
    texts = [text for label, text in lines if label == "Not checked"]
    assert len(texts) == 3
    assert all(str(text).isupper() for text in texts)


def test_the_report_for_programs_has_what_was_found_and_written(checked: CheckedInput, tmp_path: Path) -> None:
    written = WrittenReports(workbook=tmp_path / "r.xlsx", page=tmp_path / "r.html")
    assert written.paths == (tmp_path / "r.xlsx", tmp_path / "r.html")
    command = SuggestedCommand("run", checked.path)
    told = report_check(checked, ExitCode.INCOMPLETE, written, command, compare()).to_json()
    assert told["counts"] == {"not attempted": 4, "invalid": 1, "unchanged": 1}
    assert (told["rows"], told["calls"], told["state"], told["exit_code"]) == (6, 5, "finished", 1)
    assert (told["results"], told["html"]) == (str(tmp_path / "r.xlsx"), str(tmp_path / "r.html"))
    page_only = report_check(checked, ExitCode.DONE, WrittenReports(page=tmp_path / "r.html"), None).to_json()
    assert (page_only["results"], page_only["calls"], page_only["recipe"]) == (str(tmp_path / "r.html"), 0, None)


def test_requests_to_find_customers_are_counted_with_those_to_read_them(checked: CheckedInput) -> None:
    matched: Any = SimpleNamespace(requests=7)
    searched = replace(checked, matched=matched)
    for live, calls in ((None, 7), (compare(), 7 + 5)):
        told = report_check(searched, ExitCode.DONE, WrittenReports(), None, live).to_json()
        assert told["calls"] == calls
