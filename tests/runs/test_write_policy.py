"""The write policy: what is only written if it is empty is read shortly before, and left as it is otherwise."""

from __future__ import annotations

import json

import pytest

from bulkupdate.runs.journal import Journal
from tests.conftest import FIRST, find_puts, write_csv
from tests.postgres import place_of

FULL, EMPTY = FIRST, FIRST + 1
POLICY = {"write_policy": "Fax=only-if-empty"}


def prepare(sandbox, **values):
    for customer_id, fax in ((FULL, "1"), (EMPTY, "")):
        sandbox.service.registry.update(customer_id, {"Fax": fax, "Name": "Old", **values}, is_applied=True)


def test_the_plan_says_what_reading_costs_and_the_results_what_was_kept(run_program, sandbox, tmp_path):
    prepare(sandbox)
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], [FULL, "9", ""], [EMPTY, "2", "x"]])
    done = run_program("run", sheet, "--yes", "-o", "out.csv", write_policy="Fax=only-if-empty,Name=never")
    assert done.counts == {"unchanged": 1, "updated": 1}
    assert find_puts(sandbox) == [str(EMPTY)]
    assert "2 customers at " in done.err
    assert "Customers are read first to find out what is empty: 2 requests." in done.err
    assert done.told["calls"] == 1 + 2 + 1
    assert "Name is never written (write policy): its column is ignored." in done.err
    assert "not empty, so kept (write policy): Fax" in (tmp_path / "out.csv").read_text()


def test_a_sheet_of_which_nothing_may_be_written_is_refused_for_that(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax"], [FULL, "9"]])
    refused = run_program("check", sheet, write_policy="Fax=never")
    assert refused.exit_code == 3
    assert "No column of the sheet may be written: the write policy of each is `never`." in refused.err


def test_a_field_that_others_fill_while_the_run_is_stopped_is_kept(run_program, sandbox, tmp_path):
    prepare(sandbox)
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], [FULL, "9", "n"], [EMPTY, "9", "n"]])
    stopped = run_program("run", sheet, "--yes", "--limit", 1, "--snapshot", **POLICY)
    sandbox.service.registry.update(EMPTY, {"Fax": "by others"}, is_applied=True)
    assert run_program("resume").counts == {"updated": 2}
    assert [json.loads(each.body) for each in sandbox.requests if each.kind == "write"] == [{"Name": "n"}] * 2
    assert run_program("undo", stopped.told["run"], "--run", "--yes").exit_code == 0
    assert [sandbox.customer(each)["Fax"] for each in (FULL, EMPTY)] == ["1", "by others"]


@pytest.mark.parametrize(
    ("command", "options"),
    [("retry", []), pytest.param("resume", [], marks=pytest.mark.long), ("resume", ["--snapshot"])],
)
def test_a_row_that_may_have_been_applied_is_not_sent_again_over_what_others_filled(
    make_sandbox, run_program, tmp_path, command, options
):
    sandbox = make_sandbox(plan=lambda call: "cut-before" if call.kind == "write" and call.number <= 2 else None)
    prepare(sandbox)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    lines = [[EMPTY, "9", ""], *([FULL, "", "n"] for _ in range(command == "resume"))]
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], *lines])
    stopped = run_program("run", sheet, "--yes", *options, max_attempts=2, max_failures=1, concurrency=1, **POLICY)
    assert stopped.counts["unknown"] == 1
    sandbox.service.registry.update(EMPTY, {"Fax": "by others"}, is_applied=True)
    assert run_program(command, "--yes").counts["unknown"] == 1
    assert sandbox.customer(EMPTY)["Fax"] == "by others"


def test_the_canary_is_made_of_rows_that_are_sent(make_sandbox, run_program, tmp_path):
    deaf = make_sandbox(plan=lambda call: "ignored-200" if call.kind == "write" else None)
    prepare(deaf)
    run_program.environment["BULKUPDATE_BASE_URL"] = deaf.base_url
    lines = [[FULL, "9"], *([EMPTY + at, "9"] for at in range(20))]
    for customer_id, _ in lines[1:]:
        deaf.service.registry.update(customer_id, {"Fax": ""}, is_applied=True)
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax"], *lines])
    stopped = run_program("run", sheet, "--yes", "--canary", 1, **POLICY)
    assert (stopped.exit_code, find_puts(deaf)) == (4, [str(EMPTY)])


@pytest.mark.long
def test_a_value_known_from_an_earlier_night_is_kept_without_a_request(run_program, sandbox, tmp_path):
    prepare(sandbox)
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], [FULL, "9", "n"], [EMPTY, "9", "n"]])
    assert run_program("run", sheet, "--since-last", "--yes", **POLICY).counts == {"updated": 2}
    again = run_program("run", sheet, "--since-last", "--yes", **POLICY)
    assert (again.counts, again.told["calls"]) == ({"unchanged": 2}, 0)
    write_csv(sheet, [["CustomerId", "Fax", "Name"], [FULL, "9", "new"], [EMPTY, "9", "n"]])
    changed = run_program("run", sheet, "--since-last", "--yes", **POLICY)
    assert (changed.counts, changed.told["calls"]) == ({"unchanged": 1, "updated": 1}, 2)
    with Journal(place_of(run_program.state), None) as journal:
        assert journal.select("SELECT body FROM seen") == [('{"Fax": "1"}',)]


def test_a_value_known_from_an_earlier_night_is_not_kept_if_others_have_modified_the_customer(
    run_program, sandbox, tmp_path
):
    prepare(sandbox)
    options = POLICY | {"trust_modified_filter": "true"}
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], [FULL, "9", ""]])
    assert run_program("run", sheet, "--since-last", "--yes", **options).counts == {"unchanged": 1}
    sandbox.service.registry.update(FULL, {"Fax": ""}, is_applied=True)
    write_csv(sheet, [["CustomerId", "Fax", "Name"], [FULL, "9", "new"]])
    assert run_program("run", sheet, "--since-last", "--yes", **options).counts == {"updated": 1}
    customer = sandbox.customer(FULL)
    assert (customer["Fax"], customer["Name"]) == ("9", "new")


def test_a_policy_of_a_field_without_a_column_costs_nothing(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], [FULL, "n"]])
    done = run_program("run", sheet, "--yes", **POLICY)
    assert (done.counts, done.told["calls"]) == ({"updated": 1}, 2)
    assert "read first" not in done.err
    with Journal(place_of(run_program.state), None) as journal:
        assert journal.find_run().options.only_if_empty == ""
