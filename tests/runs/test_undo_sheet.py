"""`--snapshot` keeps the previous values; `undo` writes the sheet of them, and with `--run` puts them back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests
from openpyxl import load_workbook

from bulkupdate.clock import Clock
from bulkupdate.customers.field_types import ALIASES, EMAIL, EMAILS, PHONE, TEXT
from bulkupdate.customers.fields import CLEAR, UPDATABLE
from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import decode_live
from bulkupdate.customers.value_types import BOOLEAN, DECIMAL, INTEGER, RATING
from bulkupdate.errors import UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RowOutcome, RunOptions, RunState
from bulkupdate.runs.undo_sheet import find_restorations
from tests.conftest import FIRST, find_puts, read_results, write_csv, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.runs.live_sheets import LISTED, count_kinds, every_tenth, last_number, write_live_sheet

NEW_VALUES = {
    TEXT: "Changed", EMAIL: "changed@example.com", EMAILS: "cc@example.com", PHONE: "0049 1",
    INTEGER: "4711", DECIMAL: "9.99", BOOLEAN: "yes", RATING: "Neutral", ALIASES: "X; Y",
}  # fmt: skip


def read_undo(path):
    return list(load_workbook(path)["Customers"].iter_rows(values_only=True))


def set_live(sandbox, customer_id, **values):
    """Someone else changes a customer."""
    token = requests.post(f"{sandbox.base_url}/token", json={"Username": "sandbox", "Password": "sandbox"}, timeout=5)
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    answer = requests.put(f"{sandbox.base_url}/Customers/{customer_id}", json=values, headers=headers, timeout=5)
    assert answer.status_code == 200


def snapshots_of(program, run_id):
    with Journal(place_of(program.state), Clock()) as journal:
        run = journal.find_run(run_id)
        found = journal.select("SELECT row, before FROM snapshots WHERE run = ? ORDER BY row", (run.key,))
        return {row: decode_live(before) for row, before in found}


def test_a_run_and_its_undo_leave_every_customer_as_it_was(run_program, sandbox, tmp_path):
    """All 23 fields, but for those that were empty and that the service has no way to empty."""
    before = {at: sandbox.customer(FIRST + at) for at in range(20)}
    lines = [
        [FIRST + at, *("" if customer[each.name] is None and not each.is_clearable else NEW_VALUES[each.type]
                       for each in UPDATABLE)]
        for at, customer in before.items()
    ]  # fmt: skip
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", *(each.name for each in UPDATABLE)], *lines])
    run = run_program("run", sheet, "--snapshot", "--yes")
    assert run.counts == {"updated": 20}
    assert count_kinds(sandbox) == {"read": 20, "token": 1, "write": 20}
    assert all(sandbox.customer(FIRST + at)["Fax"] == "0049 1" for at in before)
    done = run_program("undo", run.told["run"], "--run", "--yes")
    assert (done.exit_code, done.counts) == (0, {"updated": 20})
    assert {at: sandbox.customer(FIRST + at) for at in before} == before


@pytest.mark.long
def test_the_undo_sheet_sent_by_run_restores_too(run_program, sandbox, tmp_path):
    before = {at: sandbox.customer(FIRST + at) for at in range(30)}
    sheet = write_sheet(tmp_path / "in.csv", 30)
    run = run_program("run", sheet, "--snapshot", "--yes").told["run"]
    number = last_number(sandbox)
    written = run_program("undo", run, "-o", "undo.xlsx")
    assert written.exit_code == 0
    assert last_number(sandbox) == number  # it sends nothing, and asks nothing
    assert written.told["results"] == "undo.xlsx"
    rows = read_undo(tmp_path / "undo.xlsx")
    assert rows[0] == ("CustomerId", "Name", "Email", "Comments")
    assert all(row[3] == (before[at]["Comments"] or CLEAR) for at, row in enumerate(rows[1:]))
    assert run_program("run", "undo.xlsx", "--yes").counts == {"updated": 30}
    assert {at: sandbox.customer(FIRST + at) for at in range(30)} == before


def test_only_the_fields_about_to_be_changed_are_kept_and_before_the_put(run_program, sandbox, tmp_path):
    at = next(at for at in range(100) if sandbox.customer(FIRST + at)["Fax"] is None)
    before = sandbox.customer(FIRST + at)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name", "Fax", "Title"], [FIRST + at, "N", "1", ""]])
    run = run_program("run", sheet, "--snapshot", "--yes").told["run"]
    assert snapshots_of(run_program, run) == {2: {"Name": before["Name"], "Fax": ""}}
    assert [each.kind for each in sandbox.requests] == ["token", "read", "write"]


@pytest.mark.long
def test_with_only_changes_the_values_read_are_kept_without_a_second_reading(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(60), every_tenth)
    names = [sandbox.customer(FIRST + at)["Name"] for at in range(0, 60, 10)]
    run = run_program("run", sheet, "--only-changes", "--snapshot", "--yes")
    assert count_kinds(sandbox) == {"list": 2, "token": 1, "write": 6}
    assert list(snapshots_of(run_program, run.told["run"]).values()) == [{"Name": name} for name in names]
    assert run_program("undo", run.told["run"], "--run", "--yes").counts == {"updated": 6}
    assert [sandbox.customer(FIRST + at)["Name"] for at in range(0, 60, 10)] == names


def test_what_someone_changed_since_survives_the_undo(run_program, sandbox, tmp_path):
    before = {at: sandbox.customer(FIRST + at) for at in range(10)}
    sheet = write_sheet(tmp_path / "in.csv", 10)
    run = run_program("run", sheet, "--snapshot", "--yes").told["run"]
    set_live(sandbox, FIRST + 3, Email="someone@example.com")
    set_live(sandbox, FIRST + 4, Name=before[4]["Name"], Email=before[4]["Email"], Comments=before[4]["Comments"] or "")
    set_live(sandbox, FIRST + 5, Name=before[5]["Name"])
    number = last_number(sandbox)
    done = run_program("undo", run, "--run", "--yes")
    assert done.exit_code == 1
    assert done.counts == {"rejected": 1, "unchanged": 1, "updated": 8}
    assert sorted(find_puts(sandbox, after=number)) == [str(FIRST + at) for at in range(10) if at not in (3, 4)]
    assert sandbox.customer(FIRST + 3)["Email"] == "someone@example.com"
    assert sandbox.customer(FIRST + 3)["Name"] == "row 3"  # left alone as a whole
    assert sandbox.customer(FIRST + 5) == before[5]
    run_program("show", done.told["run"], "-o", "out.csv")
    refused = next(line for line in read_results(tmp_path / "out.csv") if line["Status"] == "rejected")
    assert "someone@example.com" in refused["Message"]
    assert "row-3@example.com" in refused["Message"]
    assert run_program("retry", done.told["run"]).told["run"] is None  # nobody's change is overwritten by a retry


@pytest.mark.long
def test_an_undo_can_be_undone_and_done_twice_and_is_linked_to_its_run(run_program, sandbox, tmp_path):
    """The second one finds everything put back."""
    run = run_program("run", write_sheet(tmp_path / "in.csv", 5), "--snapshot", "--yes").told["run"]
    undo = run_program("undo", run, "--run", "--yes").told["run"]
    with Journal(place_of(run_program.state), Clock()) as journal:
        assert journal.find_run(undo).parent == run
    number = last_number(sandbox)
    again = run_program("undo", run, "--run", "--yes")
    assert (again.exit_code, again.counts) == (0, {"unchanged": 5})
    assert find_puts(sandbox, after=number) == []
    assert run_program("undo", undo, "--run", "--yes").counts == {"updated": 5}
    assert sandbox.customer(FIRST + 2)["Name"] == "row 2"


def test_an_empty_field_that_cannot_be_emptied_is_told_and_not_passed_over(run_program, sandbox, tmp_path):
    at = next(at for at in range(100) if sandbox.customer(FIRST + at)["AccountManager1Id"] is None)
    before = sandbox.customer(FIRST + at)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name", "AccountManager1Id"], [FIRST + at, "N", "5001"]])
    run = run_program("run", sheet, "--snapshot", "--yes").told["run"]
    written = run_program("undo", run, "-o", "undo.xlsx")
    assert "it was empty before, and the service has no way to empty a whole number" in written.err
    assert read_undo(tmp_path / "undo.xlsx")[1] == (str(FIRST + at), before["Name"], None)
    assert list(load_workbook(tmp_path / "undo.xlsx")["Left out"].iter_rows(values_only=True))[1][:2] == (
        str(FIRST + at), "AccountManager1Id",
    )  # fmt: skip
    done = run_program("undo", run, "--run", "--yes", "-o", "undo.xlsx")
    assert (done.exit_code, done.counts) == (1, {"invalid": 1, "updated": 1})
    assert sandbox.customer(FIRST + at) == {**before, "AccountManager1Id": 5001}
    assert run_program("check", "undo.xlsx").exit_code == 0  # the second sheet is not taken for one of customers


TRICKY = [
    "  two blanks ",
    "=1+1",
    "007",
    CLEAR,
    "#N/A",
    "+49 30",
    "-",
    "'=x",
    "a\r\nb",
    "_x0041_",
    "\u200bx",
    "x" * 40_000,
]


def test_texts_come_back_exactly(run_program, sandbox, tmp_path):
    """By `--run`, whatever they are; by the sheet, all that a sheet can hold, and the others are named."""
    for at, text in enumerate(TRICKY):
        set_live(sandbox, FIRST + at, Comments=text)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Comments"], *([FIRST + at, "x"] for at in range(12))])
    run = run_program("run", sheet, "--snapshot", "--yes").told["run"]
    run_program("undo", run, "-o", "undo.xlsx")
    named = [row[0] for row in load_workbook(tmp_path / "undo.xlsx")["Left out"].iter_rows(values_only=True)][1:]
    assert named == [str(FIRST + at) for at in (0, 3, 4, 11)]
    run_program("run", "undo.xlsx", "--yes")
    live = [sandbox.customer(FIRST + at)["Comments"] for at in range(12)]
    assert [live[at] for at in (1, 2, 5, 6, 7, 8, 9, 10)] == [TRICKY[at] for at in (1, 2, 5, 6, 7, 8, 9, 10)]
    assert live[0] == "two blanks"
    assert [live[at] for at in (3, 4, 11)] == ["x"] * 3
    for at in range(12):
        set_live(sandbox, FIRST + at, Comments="x")
    assert run_program("undo", run, "--run", "--yes").counts == {"updated": 12}
    assert [sandbox.customer(FIRST + at)["Comments"] for at in range(12)] == TRICKY


def test_without_a_snapshot_there_is_nothing_to_undo(run_program, sandbox, tmp_path):
    run = run_program("run", write_sheet(tmp_path / "in.csv", 2), "--yes").told["run"]
    done = run_program("undo", run)
    assert done.exit_code == 2
    assert "Only a run with --snapshot can be undone." in done.err
    assert run_program("undo", "20200101-000000-nosuchid").exit_code == 2


@pytest.mark.long
def test_the_sheet_never_overwrites_the_file_or_results_of_the_run_and_sending_it_needs_a_yes(
    run_program, sandbox, tmp_path
):
    sheet = write_sheet(tmp_path / "in.csv", 2)
    run = run_program("run", sheet, "--snapshot", "--yes", "-o", "out.xlsx").told["run"]
    number = last_number(sandbox)
    assert run_program("undo", run, "--run").exit_code == 2, "there is no terminal to ask at"
    for path in (sheet, "out.xlsx"):
        done = run_program("undo", run, "-o", path)
        assert done.exit_code == 2
        assert "would overwrite" in done.err
    told = json.loads(run_program("undo", run).out)
    assert (told["rows"], told["results"]) == (2, str(tmp_path / f"in-undo-{run}.xlsx"))
    assert told["next"] == f"bulkupdate undo {run} --run"
    assert find_puts(sandbox, after=number) == []


@pytest.mark.long
def test_unknown_customers_are_rejected_when_their_values_of_before_are_asked_for(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], [77, "1"], [FIRST, "1"]])
    done = run_program("run", sheet, "--snapshot", "--yes")
    assert done.counts == {"rejected": 1, "updated": 1}
    assert find_puts(sandbox) == [str(FIRST)]


@pytest.mark.parametrize("outcome", ["never sent", "certainly not applied", "perhaps applied"])
def test_a_resumed_run_keeps_what_was_before_the_first_put_and_reads_the_others_anew(
    run_program, sandbox, tmp_path, outcome
):
    """Killed between the snapshot and the PUT, or after it: as the journal then stands."""
    was_applied = outcome == "perhaps applied"
    sheet = write_sheet(tmp_path / "in.csv", 3)
    run_id = run_program("run", sheet, "--snapshot", "--yes", "--limit", 1, concurrency=1).told["run"]
    with Journal(place_of(run_program.state), Clock()) as journal:
        run = journal.find_run(run_id)
        journal.keep_snapshots(run, [(3, '{"Name": "of before"}')])
        if outcome != "never sent":
            row = next(each for each in journal.pending(run) if each.number == 3)
            journal.record(run, intents=[row])
            status = Status.UNKNOWN if was_applied else Status.NOT_ATTEMPTED
            journal.record(run, outcomes=[RowOutcome(3, status, None, 1, "", "", may_be_applied=was_applied)])
        journal.set_state(run, RunState.RUNNING)  # nobody holds it: its process was killed
    before = sandbox.customer(FIRST + 1)
    assert run_program("resume", run_id).counts == {"updated": 3}
    kept = snapshots_of(run_program, run_id)[3]
    expected = (
        {"Name": "of before"} if was_applied else {each: before[each] or "" for each in ("Name", "Email", "Comments")}
    )
    assert kept == expected


@pytest.mark.parametrize("options", [pytest.param([], marks=pytest.mark.long), ["--only-changes"]])
def test_an_undo_restores_what_another_run_wrote_before_the_run_continued(run_program, sandbox, tmp_path, options):
    sheet = write_sheet(tmp_path / "in.csv", 3)
    run_id = run_program("run", sheet, "--snapshot", "--yes", "--limit", 1, *options, concurrency=1).told["run"]
    other = write_csv(tmp_path / "other.csv", [["CustomerId", "Name"], [FIRST + 1, "By another run"]])
    assert run_program("run", other, "--yes").counts == {"updated": 1}
    assert run_program("resume", run_id, "--yes").counts == {"updated": 3}
    assert run_program("undo", run_id, "--run", "--yes").exit_code == 0
    assert sandbox.customer(FIRST + 1)["Name"] == "By another run"


@pytest.mark.long
def test_reading_that_fails_stops_the_run_in_order(run_program, make_sandbox, tmp_path):
    """The rows whose previous values cannot be read are not sent; resume goes on."""
    down = make_sandbox(plan=lambda call: "error-503" if call.kind == "read" and call.number <= 2 else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = down.base_url
    sheet = write_sheet(tmp_path / "in.csv", 1)
    done = run_program("run", sheet, "--snapshot", "--yes", max_attempts=2)
    assert (done.exit_code, done.counts) == (4, {"not attempted": 1})
    assert find_puts(down) == []
    assert run_program("resume", max_attempts=2).counts == {"updated": 1}


@pytest.mark.long
def test_an_undo_of_a_verified_run_is_verified_too(run_program, make_sandbox, tmp_path):
    """Where the service passes over an empty text, the once-empty field is not called restored."""
    stubborn = make_sandbox(empty_string="ignored")
    run_program.environment["BULKUPDATE_BASE_URL"] = stubborn.base_url
    at = next(at for at in range(100) if stubborn.customer(FIRST + at)["Fax"] is None)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], [FIRST + at, "1"]])
    run = run_program("run", sheet, "--snapshot", "--verify", "--yes").told["run"]
    done = run_program("undo", run, "--run", "--yes")
    assert (done.exit_code, done.counts) == (1, {"failed": 1})


@pytest.mark.long
def test_a_retry_keeps_the_values_of_before_too(run_program, make_sandbox, tmp_path):
    shaky = make_sandbox(plan=lambda call: "error-500" if call.kind == "write" and call.number <= 2 else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = shaky.base_url
    before = shaky.customer(FIRST)
    first = run_program("run", write_sheet(tmp_path / "in.csv", 1), "--snapshot", "--yes", max_attempts=2)
    assert first.counts == {"failed": 1}
    again = run_program("retry", first.told["run"], max_attempts=2)
    assert again.counts == {"updated": 1}
    assert run_program("undo", again.told["run"], "--run", "--yes").counts == {"updated": 1}
    assert shaky.customer(FIRST) == before


def test_a_run_is_known_to_have_previous_values_whatever_it_was_asked_for(sandbox, tmp_path):
    """One whose options were lost can be undone too, and one that kept none says so."""
    driver = Driver(sandbox.base_url, tmp_path)
    kept, bare = (driver.begin(write_sheet(tmp_path / "a.csv", 2), snapshot=is_kept) for is_kept in (True, False))
    for run in (kept, bare):
        driver.execute_run(run)
    with Journal(place_of(driver.state), driver.clock) as journal:
        forgotten = replace(kept, options=RunOptions())
        assert {each.customer_id for each in find_restorations(journal, forgotten)} == {str(FIRST), str(FIRST + 1)}
        with pytest.raises(UsageError, match="kept no previous values"):
            find_restorations(journal, bare)
