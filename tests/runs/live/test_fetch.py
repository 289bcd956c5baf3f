"""`check --live`: what would change, whom the service does not know, and what it costs to look. Never a PUT."""

from __future__ import annotations

import json

import pytest
from openpyxl import load_workbook

from bulkupdate.runs.live.fetch import count_requests, is_listed
from tests.conftest import FIRST, write_csv
from tests.runs.live_sheets import LISTED, count_kinds, every_tenth, write_live_sheet


def read_summary(path):
    return {row[0]: row[1] for row in load_workbook(path)["Summary"].iter_rows(values_only=True) if row[0]}


def test_each_differing_field_is_shown_before_and_after_in_workbook_and_page(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(120), every_tenth)
    done = run_program("check", sheet, "--live", "-o", "report.xlsx", "--html", "page.html")
    assert done.exit_code == 0
    assert count_kinds(sandbox) == {"list": 3, "token": 1}
    rows = list(load_workbook(tmp_path / "report.xlsx")["Changes"].iter_rows(values_only=True))
    assert rows[0] == ("Row", "CustomerId", "Field", "Before", "After")
    names = [sandbox.customer(FIRST + at)["Name"] for at in range(0, 120, 10)]
    assert [row[1:] for row in rows[1:]] == [
        (str(FIRST + at), "Name", name, f"New {at}") for at, name in zip(range(0, 120, 10), names, strict=True)
    ]
    assert [row[0] for row in rows[1:]] == list(range(2, 122, 10))
    page = (tmp_path / "page.html").read_text()
    assert "New 110" in page
    assert "Changes" in page
    summary = read_summary(tmp_path / "report.xlsx")
    assert summary["Requests used to read the customers"] == 4
    assert summary["Rows without changes"] == 108
    assert summary["Rows that differ"] == 12
    assert summary["Requests with --only-changes"] == 16


def test_what_it_costs_is_said_as_a_share_of_the_quota(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(
        tmp_path / "in.csv", sandbox, ("Name", "Fax"), range(30), lambda _at, _name, cell: cell or "1"
    )
    done = run_program("check", sheet, "--live", "-o", "report.xlsx", requests_per_hour=100)
    assert "takes 30 requests and a sign-in; quota: 100 of 100 requests left" in done.err
    summary = read_summary(tmp_path / "report.xlsx")
    assert (summary["Requests used to read the customers"], summary["Share of an hour's quota"]) == (31, "31.0%")
    assert done.told["calls"] == 31


def test_reading_is_planned_row_by_row(run_program, sandbox, tmp_path):
    """A row whose filled cells are all in the list answer is read with forty-nine others, though the sheet has more."""
    lines = [[FIRST + at, f"N{at}", "5550100" if at < 3 else ""] for at in range(103)]
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name", "Fax"], *lines])
    assert run_program("check", sheet, "--live").exit_code == 0
    assert count_kinds(sandbox) == {"list": 2, "read": 3, "token": 1}
    assert count_requests([("Name",)] * 100 + [("Name", "Fax")] * 3) == 5
    assert is_listed(LISTED)
    assert not is_listed(("Name", "Title"))


@pytest.mark.parametrize("option", ["--live", "--live=ids"])
def test_unknown_ids_are_named_and_end_with_1(run_program, sandbox, tmp_path, option):
    lines = [[FIRST + at, f"n{at}@example.com"] for at in range(60)]
    lines[7][0], lines[50][0] = 77, 88
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Email"], *lines])
    done = run_program("check", option, sheet, "-o", "report.xlsx")
    assert done.exit_code == 1
    assert count_kinds(sandbox) == {"list": 2, "token": 1}
    assert [(each["row"], each["code"]) for each in done.told["problems"]] == [
        (9, "unknown-customer"), (52, "unknown-customer"),
    ]  # fmt: skip
    assert done.counts == {"not attempted": 58, "invalid": 2}
    problems = list(load_workbook(tmp_path / "report.xlsx")["Problems"].iter_rows(values_only=True))
    assert [row[1:4] for row in problems[1:]] == [(9, "77", "CustomerId"), (52, "88", "CustomerId")]


def test_ids_alone_are_looked_up_fifty_to_a_call_whatever_the_columns(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], *([FIRST + at, "1"] for at in range(101))])
    done = run_program("check", sheet, "--live=ids", "-o", "report.xlsx")
    assert done.exit_code == 0
    assert count_kinds(sandbox) == {"list": 3, "token": 1}
    assert "Changes" not in load_workbook(tmp_path / "report.xlsx").sheetnames


def test_a_service_that_ignores_the_ids_asked_for_is_read_customer_by_customer(run_program, make_sandbox, tmp_path):
    sandbox = make_sandbox(list_filter=False, customers=300)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, ("Name", "Email"), range(200, 230), every_tenth)
    done = run_program("check", sheet, "--live")
    assert done.exit_code == 0
    assert "Rows that differ: 3, in 3 fields. Rows already as in the file: 27." in done.err
    assert count_kinds(sandbox).get("write") is None


def test_a_service_that_cannot_be_read_ends_with_4_and_one_object(run_program, make_sandbox, tmp_path):
    sandbox = make_sandbox(faults={"error-503": 1.0}, faults_on="reads")
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Email"], [FIRST, "a@example.com"]])
    done = run_program("check", sheet, "--live", "-o", "report.xlsx", max_attempts=2)
    assert done.exit_code == 4
    assert json.loads(done.out)["exit_code"] == 4
    assert not (tmp_path / "report.xlsx").exists()


def test_without_a_connection_nothing_is_looked_up(run_program, tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Email"], [FIRST, "a@example.com"]])
    done = run_program("check", sheet, "--live", password="")
    assert done.exit_code == 2
    assert "BULKUPDATE_PASSWORD" in done.err
