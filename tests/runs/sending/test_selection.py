"""`run --only-changes`: what is live already costs no PUT, and of the rest only the fields that differ go out."""

from __future__ import annotations

import json
import signal
import time

import pytest
from openpyxl import load_workbook

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.models import Status
from bulkupdate.runs.context import open_context
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.runs.sending.row_decision import RowDecision
from bulkupdate.runs.sending.selection import Selection, make_selection
from bulkupdate.sandbox.responses import SandboxResponse
from tests.conftest import FIRST, find_puts, finish, read_results, write_csv
from tests.runs.in_process import Driver
from tests.runs.live_sheets import LISTED, count_kinds, every_tenth, last_number, write_live_sheet

CHANGED = [str(FIRST + at) for at in range(0, 60, 10)]


def find_bodies(sandbox, after=0):
    return [json.loads(each.body) for each in sandbox.requests if each.kind == "write" and each.number > after]


def test_only_rows_that_differ_are_sent_and_of_them_only_the_fields_that_differ(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(60), every_tenth)
    done = run_program("run", sheet, "--only-changes", "--yes", "-o", "out.csv", concurrency=1)
    assert done.exit_code == 0
    assert done.counts == {"unchanged": 54, "updated": 6}
    assert find_puts(sandbox) == CHANGED
    assert find_bodies(sandbox) == [{"Name": f"New {at}"} for at in range(0, 60, 10)]
    assert count_kinds(sandbox) == {"list": 2, "token": 1, "write": 6}
    assert done.told["calls"] == 9
    lines = read_results(tmp_path / "out.csv")
    assert [line["FieldsSent"] for line in lines[:2]] == ["Name", ""]
    assert lines[1]["Message"] == "the live customer already has every value"


def test_the_plan_shows_the_changes_before_it_asks(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(60), every_tenth)
    done = run_program("run", sheet, "--only-changes")
    assert done.exit_code == 2  # nobody to ask
    assert find_puts(sandbox) == []
    name = sandbox.customer(FIRST + 10)["Name"]
    assert f"row 12, customer {FIRST + 10}: Name “{name}” → “New 10”" in done.err
    assert "6 of 60 rows need to be sent." in done.err
    assert "Plan: 6 customers" in done.err


def test_values_are_compared_by_meaning_in_every_kind_of_field(run_program, sandbox, tmp_path):
    """A sheet that says in other words what is live already sends nothing."""
    names = ["AccountManager1Commission", "Rating", "IsWholesale", "BusinessAliases", "Phone1", "Comments"]
    at = next(at for at in range(1000) if _has_all(sandbox.customer(FIRST + at), names))
    customer = sandbox.customer(FIRST + at)
    cells = [
        f"{customer['AccountManager1Commission']}0" if "." in str(customer["AccountManager1Commission"]) else
        f"{customer['AccountManager1Commission']}.00",
        str(customer["Rating"]), "TRUE" if customer["IsWholesale"] else "n", " | ".join(customer["BusinessAliases"]),
        f" {customer['Phone1']} ", customer["Comments"].replace("\n", "\r\n"),
    ]  # fmt: skip
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", *names], [FIRST + at, *cells]])
    done = run_program("run", sheet, "--only-changes", "--yes")
    assert done.counts == {"unchanged": 1}


def _has_all(customer, names):
    return all(customer[name] not in (None, []) for name in names)


def test_an_empty_live_field_differs_from_every_value(run_program, sandbox, tmp_path):
    at = next(at for at in range(1000) if sandbox.customer(FIRST + at)["AccountManager1Id"] is None)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "AccountManager1Id"], [FIRST + at, "0"]])
    assert run_program("run", sheet, "--only-changes", "--yes").counts == {"updated": 1}
    assert find_bodies(sandbox) == [{"AccountManager1Id": 0}]


def test_clearing_what_is_empty_already_sends_nothing(run_program, sandbox, tmp_path):
    at = next(at for at in range(1000) if sandbox.customer(FIRST + at)["Fax"] is None)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], [FIRST + at, "<clear>"]])
    assert run_program("run", sheet, "--only-changes", "--yes").counts == {"unchanged": 1}


def test_an_unknown_customer_is_rejected_without_a_put(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Email", "Fax"], [77, "a@example.com", ""], [78, "", "1"]])
    done = run_program("run", sheet, "--only-changes", "--yes", "-o", "out.csv")
    assert done.exit_code == 1
    assert done.counts == {"rejected": 2}
    assert find_puts(sandbox) == []
    assert [line["HttpStatus"] for line in read_results(tmp_path / "out.csv")] == ["404", "404"]


def test_a_customer_that_the_list_leaves_out_is_asked_for_before_it_counts_as_unknown(
    run_program, make_sandbox, tmp_path
):
    """The list is said to filter by id, but not known to show everybody: here it shows nobody."""
    hidden = make_sandbox(plan=lambda call: _no_items() if call.kind == "list" else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = hidden.base_url
    sheet = write_live_sheet(tmp_path / "in.csv", hidden, ("Name", "Email"), range(20), every_tenth)
    done = run_program("run", sheet, "--only-changes", "--yes")
    assert done.counts == {"unchanged": 18, "updated": 2}


def _no_items():
    from bulkupdate.sandbox.responses import answer_json

    return answer_json({"Items": [], "TotalResults": 0})


def test_half_a_character_that_the_write_policy_keeps_is_known_the_next_time(run_program, make_sandbox, tmp_path):
    """Half an emoji, as a cut text may end with it, cannot be written as it is."""
    field = FIELD_BY_NAME["Fax"]
    cut = SandboxResponse(200, json.dumps({field.group: {field.get_name: "cut \ud83d"}}).encode())
    sandbox = make_sandbox(plan=lambda call: cut if call.kind == "read" else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], [FIRST, "1"]])
    for options in (["--only-changes"], ["--since-last"]):
        done = run_program("run", sheet, *options, "--yes", write_policy="Fax=only-if-empty")
        assert (done.exit_code, done.counts) == (0, {"unchanged": 1}), done.err
    assert done.told["calls"] == 0


@pytest.mark.long
def test_the_preview_of_a_dry_run_is_what_the_run_then_sends(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, (*LISTED, "Fax"), range(40), every_tenth)
    dry = run_program("run", sheet, "--dry-run", "--only-changes", "-o", "report.xlsx")
    assert dry.exit_code == 0
    assert find_puts(sandbox) == []
    previewed = [row[2] for row in load_workbook(tmp_path / "report.xlsx")["Preview"].iter_rows(values_only=True)][1:]
    assert run_program("run", sheet, "--only-changes", "--yes").exit_code == 0
    sent = [each.body.decode() for each in sandbox.requests if each.kind == "write"]
    assert sorted(sent) == sorted(previewed)
    assert len(sent) == 4


def test_reading_that_fails_sends_nothing_and_leaves_no_run(run_program, make_sandbox, tmp_path):
    sandbox = make_sandbox(faults={"error-503": 1.0}, faults_on="reads")
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, ("Name",), range(5), every_tenth)
    done = run_program("run", sheet, "--only-changes", "--yes", max_attempts=2)
    assert done.exit_code == 4
    assert find_puts(sandbox) == []
    assert run_program("runs").told == []


@pytest.mark.long
def test_ctrl_c_while_reading_ends_with_130_and_leaves_no_run(run_program, make_sandbox, tmp_path):
    slow = make_sandbox(latency_seconds=0.3)
    run_program.environment["BULKUPDATE_BASE_URL"] = slow.base_url
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], *([FIRST + at, "1"] for at in range(200))])
    process = run_program.fork("run", sheet, "--only-changes", "--yes", concurrency=2)
    while not any(each.kind == "read" for each in slow.requests) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.exit_code == 130
    assert "Nothing was sent; run the same command again" in done.err
    assert find_puts(slow) == []
    assert len(slow.requests) < 50
    assert run_program("runs").told == []


def test_resume_sends_the_reduced_bodies_without_reading_again(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(60), every_tenth)
    first = run_program("run", sheet, "--only-changes", "--yes", "--limit", 2, concurrency=1)
    assert first.told["state"] == "stopped"
    before = last_number(sandbox)
    done = run_program("resume", concurrency=1)
    assert done.counts == {"unchanged": 54, "updated": 6}
    assert count_kinds(sandbox, after=before) == {"token": 1, "write": 4}
    assert find_bodies(sandbox) == [{"Name": f"New {at}"} for at in range(0, 60, 10)]


def test_only_the_requests_of_the_selection_itself_are_counted_as_its_own(sandbox, tmp_path):
    driver = Driver(sandbox.base_url, tmp_path)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], [FIRST, "New"]])
    checked = load_input_file(sheet, driver.make_settings(), SheetOptions())
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        context.client.sign_in()
        before = len(sandbox.requests)
        selection = make_selection(checked, context, RunOptions(only_changes=True))
        assert selection.calls == len(sandbox.requests) - before > 0
        assert before > 0


def test_with_nothing_to_send_not_even_a_second_sign_in_is_made(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(50))
    done = run_program("run", sheet, "--only-changes", "--yes")
    assert (done.exit_code, done.counts) == (0, {"unchanged": 50})
    assert count_kinds(sandbox) == {"list": 1, "token": 1}


def test_where_wholesale_needs_a_name_both_go_out_together(run_program, sandbox, tmp_path):
    at = next(
        at for at in range(1000)
        if sandbox.customer(FIRST + at)["BusinessName"] and not sandbox.customer(FIRST + at)["IsWholesale"]
    )  # fmt: skip
    name = sandbox.customer(FIRST + at)["BusinessName"]
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "BusinessName", "IsWholesale"], [FIRST + at, name, "yes"]])
    done = run_program("run", sheet, "--only-changes", "--yes", wholesale_needs_business_name="true")
    assert done.exit_code == 0
    assert find_bodies(sandbox) == [{"BusinessName": name, "IsWholesale": True}]


def test_verify_finds_an_ignored_value_where_the_field_is_still_empty(run_program, make_sandbox, tmp_path):
    deaf = make_sandbox(plan=lambda call: "ignored-200" if call.kind == "write" else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = deaf.base_url
    at = next(at for at in range(1000) if deaf.customer(FIRST + at)["AccountManager1Id"] is None)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "AccountManager1Id"], [FIRST + at, "5001"]])
    done = run_program("run", sheet, "--verify", "--yes")
    assert (done.exit_code, done.counts) == (1, {"failed": 1})


@pytest.mark.parametrize("options", [["--max-age", "3"], ["--max-age", "-1", "--since-last"]])
def test_options_that_make_no_sense_are_refused(run_program, sandbox, tmp_path, options):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], [FIRST, "1"]])
    assert run_program("run", sheet, "--yes", *options, json=False).exit_code == 2
    assert sandbox.requests == ()


def test_rows_are_counted_by_what_was_decided_about_them(tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], *([FIRST + at, "New"] for at in range(6))])
    checked = load_input_file(sheet, Driver("http://127.0.0.1:9", tmp_path).make_settings(), SheetOptions())
    statuses = [Status.UNCHANGED, Status.UNCHANGED, Status.REJECTED, Status.NOT_ATTEMPTED]
    decisions = {row: RowDecision(status, "") for row, status in enumerate(statuses, start=2)}
    selection = Selection(checked, "name", "", decisions)
    assert (selection.unchanged, selection.skipped_count, selection.to_send) == (2, 3, 6 - 3)
    assert selection.findings().same == 2
