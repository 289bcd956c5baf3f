"""Customers compared again before an undo: restored is what the run has set, and nothing that others have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.runs.context import open_context
from bulkupdate.runs.live.fetch import ignore_progress
from bulkupdate.runs.loading.input_sheet import hash_file
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.runs.undo_send import (
    UndoComparison,
    count_recheck_requests,
    create_undo,
    list_undo_rows,
    recheck_live,
)
from bulkupdate.runs.undo_sheet import Restoration
from bulkupdate.sandbox.responses import answer_json
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST, write_sheet
from tests.runs.in_process import Driver
from tests.runs.live_sheets import count_kinds

MANAGER = "AccountManager1Id"
NOT_SHOWN = "the service did not show what it was before"
NO_WAY = "it was empty before, and the service has no way to empty a whole number"


def recheck(sandbox: Sandbox, folder: Path, *restorations: Restoration) -> list[UndoComparison]:
    driver = Driver(sandbox.base_url, folder)
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        context.client.sign_in()
        return recheck_live(restorations, context.client, 2, ignore_progress)


def restore(at: int, sent: dict[str, Any], before: dict[str, Any]) -> Restoration:
    return Restoration(2 + at, str(FIRST + at), sent, before)


@pytest.mark.parametrize(
    ("sent", "before", "now", "status", "reason"),
    [
        ({"Fax": "2"}, {"Fax": "1"}, {"Fax": "2"}, Status.NOT_ATTEMPTED, ""),
        ({"Fax": "2"}, {"Fax": ""}, {"Fax": "2"}, Status.NOT_ATTEMPTED, ""),
        ({"Fax": "2"}, {"Fax": "1"}, {"Fax": "1"}, Status.UNCHANGED, "the customer already has the previous values"),
        ({"Fax": "2"}, {"Fax": " 1 "}, {"Fax": "1"}, Status.UNCHANGED, "the customer already has the previous values"),
        ({"Fax": "2"}, {"Fax": "1"}, {"Fax": "3"}, Status.REJECTED,
         "changed since, left as it is: Fax is “3”, the run had set “2”"),
        ({"Fax": "2"}, {}, {"Fax": "3"}, Status.REJECTED,
         "changed since, left as it is: Fax is “3”, the run had set “2”"),
        ({"Fax": "2"}, {"Fax": "1"}, {"Fax": ""}, Status.REJECTED,
         "changed since, left as it is: Fax is empty, the run had set “2”"),
        ({"Fax": "2"}, {}, {"Fax": "2"}, Status.INVALID, f"cannot be restored: Fax is “2”: {NOT_SHOWN}"),
        ({MANAGER: 5}, {MANAGER: None}, {MANAGER: 5}, Status.INVALID,
         f"cannot be restored: {MANAGER} is “5”: {NO_WAY}"),
        ({"Fax": "2", "Name": "n"}, {"Fax": "1", "Name": "o"}, {"Fax": "3", "Name": "n"}, Status.REJECTED,
         "changed since, left as it is: Fax is “3”, the run had set “2”"),
    ],
)  # fmt: skip
def test_only_what_the_run_has_set_is_restored(
    sandbox: Sandbox, tmp_path: Path, sent: Any, before: Any, now: Any, status: Status, reason: str
) -> None:
    sandbox.service.registry.update(FIRST, now, is_applied=True)
    [found] = recheck(sandbox, tmp_path, restore(0, sent, before))
    assert (found.status, found.reason) == (status, reason)
    assert status is not Status.NOT_ATTEMPTED or found.restored == before


@pytest.mark.parametrize(
    ("now", "restored", "reason"),
    [
        ("probe", {"Fax": "1"}, ""),
        ("", {"Fax": "1"}, ""),
        ("an edit", {}, "cannot be restored: Fax is “an edit”, which someone else has set since"),
    ],
)
def test_of_a_probe_anything_that_it_may_have_left_is_restored(
    sandbox: Sandbox, tmp_path: Path, now: str, restored: dict[str, str], reason: str
) -> None:
    sandbox.service.registry.update(FIRST, {"Fax": now}, is_applied=True)
    probe = Restoration(2, str(FIRST), {"Fax": ""}, {"Fax": "1"}, {"Fax": ["probe", ""]})
    [found] = recheck(sandbox, tmp_path, probe)
    assert (found.restored, found.reason) == (restored, reason)


def test_a_field_that_is_no_longer_shown_is_a_conflict(make_sandbox: Any, tmp_path: Path) -> None:
    bare = answer_json({"General": {"ID": FIRST}})
    sandbox = make_sandbox(plan=lambda call: bare if call.kind == "read" else None)
    [found] = recheck(sandbox, tmp_path, restore(0, {"Fax": "2"}, {"Fax": "1"}))
    assert found.reason == "changed since, left as it is: the service no longer shows Fax"


def test_a_customer_that_is_gone_is_said_to_be(sandbox: Sandbox, tmp_path: Path) -> None:
    [found] = recheck(sandbox, tmp_path, Restoration(2, "77", {"Fax": "2"}, {"Fax": "1"}))
    assert found.status is Status.REJECTED
    assert found.reason == "the service no longer knows a customer with this id: not sent"


@pytest.mark.parametrize("shown", [[], [{"ID": FIRST, "Name": "Old"}]])
def test_a_list_that_lags_behind_is_no_conflict(make_sandbox: Any, tmp_path: Path, shown: list[object]) -> None:
    late = answer_json({"Items": shown, "TotalResults": len(shown)})
    sandbox = make_sandbox(plan=lambda call: late if call.kind == "list" else None)
    sandbox.service.registry.update(FIRST, {"Name": "New"}, is_applied=True)
    [found] = recheck(sandbox, tmp_path, restore(0, {"Name": "New"}, {"Name": "Before"}))
    assert (found.status, found.restored) == (Status.NOT_ATTEMPTED, {"Name": "Before"})
    assert count_kinds(sandbox) == {"list": 1, "read": 1, "token": 1}


def test_a_customer_read_on_its_own_is_not_read_twice_for_a_conflict(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.service.registry.update(FIRST, {"Fax": "3"}, is_applied=True)
    restorations = [restore(0, {"Fax": "2"}, {"Fax": "1"})]
    [found] = recheck(sandbox, tmp_path, *restorations)
    assert found.conflicts
    assert count_kinds(sandbox) == {"read": count_recheck_requests(restorations), "token": 1}
    listed = [restore(at, {"Name": "n"}, {}) for at in range(51)]
    assert count_recheck_requests([*listed, *restorations]) == 2 + 1


def test_a_customer_restored_in_part_has_a_second_row_that_says_what_is_not(sandbox: Sandbox, tmp_path: Path) -> None:
    for at in range(3):
        sandbox.service.registry.update(FIRST + at, {"Fax": "2", MANAGER: 5}, is_applied=True)
    compared = recheck(
        sandbox, tmp_path,
        restore(0, {"Fax": "2"}, {"Fax": "1"}),
        restore(1, {"Fax": "2", MANAGER: 5}, {"Fax": "1", MANAGER: None}),
        restore(2, {MANAGER: 5}, {MANAGER: None}),
    )  # fmt: skip
    rows = list(list_undo_rows(compared, "name"))
    assert [(row.number, row.customer_id, row.status, row.body, row.fields) for row in rows] == [
        (2, str(FIRST), Status.NOT_ATTEMPTED, '{"Fax": "1"}', ("Fax",)),
        (3, str(FIRST + 1), Status.NOT_ATTEMPTED, '{"Fax": "1"}', ("Fax",)),
        (4, str(FIRST + 2), Status.INVALID, None, ()),
        (5, str(FIRST + 1), Status.INVALID, None, ()),
    ]
    assert [row.reason for row in rows[:2]] == ["", ""]
    assert rows[3].reason == f"cannot be restored: {MANAGER} is “5”: {NO_WAY}"
    assert rows[3].original == (str(FIRST + 1), "", "")


def test_an_undo_keeps_what_it_has_read_and_reads_nothing_twice(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.service.registry.update(FIRST, {"Fax": "2"}, is_applied=True)
    sandbox.service.registry.update(FIRST + 1, {"Fax": "3"}, is_applied=True)
    driver = Driver(sandbox.base_url, tmp_path)
    sheet = write_sheet(tmp_path / "a.csv", 1)
    parent = driver.begin(sheet, snapshot=True, verify=True)
    compared = recheck(sandbox, tmp_path, *(restore(at, {"Fax": "2"}, {"Fax": "1"}) for at in range(2)))
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        run = create_undo(context, parent, "undo-1", compared, sheet, tmp_path / "r.csv")
        assert context.journal.find_snapshot_rows(run, 0, 99) == {2}
        named = create_undo(context, parent, "undo-2", compared, sheet, tmp_path / "r.csv", "undo.xlsx")
    assert (run.file, named.file, run.parent, run.headings) == (
        str(sheet),
        "undo.xlsx",
        parent.id,
        ("CustomerId", "Fax"),
    )
    assert run.options == RunOptions(undo=parent.id, snapshot=True, verify=True)
    assert run.sha256 == hash_file(sheet)
    assert driver.execute_run(run).tally.counts == {Status.UPDATED: 1, Status.REJECTED: 1}
    assert (sandbox.customer(FIRST) or {})["Fax"] == "1"
    assert count_kinds(sandbox)["read"] == 2 + 1, "compared, and read back because the run was verified"
