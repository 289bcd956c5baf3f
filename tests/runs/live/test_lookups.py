"""A file compared with the live customers: what would change, who is unknown, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.live.diff import count_id_requests, count_read_requests, find_changes, find_unknown, look_up
from bulkupdate.runs.live.fetch import ignore_progress, is_listed, read_live
from bulkupdate.runs.matching.live_key import make_live_key
from bulkupdate.sandbox.responses import answer_json
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST
from tests.runs.in_process import Driver
from tests.runs.live_sheets import count_kinds

HEADINGS = ("CustomerId", "Mail", "Name")


@pytest.fixture
def context(sandbox: Sandbox, tmp_path: Path) -> Iterator[RunContext]:
    driver = Driver(sandbox.base_url, tmp_path)
    with open_context(driver.make_settings(), driver.clock, driver.stop) as opened:
        yield opened


def row(at: int, name: str = "new", *, mail: str = "") -> CheckedRow:
    body = f'{{"Name": "{name}"}}'
    return CheckedRow(2 + at, str(FIRST + at), Status.NOT_ATTEMPTED, body, ("Name",), (str(FIRST + at), mail, name))


def test_each_change_is_told_and_rows_without_one_are_counted(context: RunContext, sandbox: Sandbox) -> None:
    for at in range(2):
        sandbox.service.registry.update(FIRST + at, {"Name": f"old {at}"}, is_applied=True)
    blank = CheckedRow(9, str(FIRST + 7), Status.UNCHANGED, None, (), ())
    rows = [row(0), row(1, "old 1"), row(2)._replace(customer_id="77"), blank]
    found = find_changes(rows, "Nr", None, context.client, 2, ignore_progress)
    assert [(each.row, each.customer_id, each.field, each.before, each.after) for each in found.changes or ()] == [
        (2, str(FIRST), "Name", "old 0", "new")
    ]
    assert (found.same, found.unknown, found.conflicts) == (1, ("77",), ())
    [problem] = found.problems
    assert (problem.row, problem.column, problem.value) == (4, "Nr", "77")
    assert found.calls == context.client.calls == 2
    again = find_changes(rows[:1], "Nr", None, context.client, 2, ignore_progress)
    assert again.calls == 1, "the requests before are not counted again"


def test_a_field_that_is_kept_does_not_change(context: RunContext, sandbox: Sandbox) -> None:
    sandbox.service.registry.update(FIRST, {"Name": "old"}, is_applied=True)
    sandbox.service.registry.update(FIRST + 1, {"Name": ""}, is_applied=True)
    found = find_changes([row(0), row(1)], "Nr", None, context.client, 2, ignore_progress, guarded=("Name",))
    assert [each.row for each in found.changes or ()] == [3]
    assert found.same == 1


@pytest.mark.parametrize("find", [find_changes, find_unknown])
def test_a_customer_with_another_key_is_a_conflict_and_no_change(context: RunContext, sandbox: Sandbox, find: Any):
    live_key = make_live_key("Email", "Mail", HEADINGS)
    mail = str((sandbox.customer(FIRST) or {})["Email"])
    rows = [row(0, mail=mail), row(1, mail="other@example.com")]
    found = find(rows, "CustomerId", live_key, context.client, 2, ignore_progress)
    assert [problem.row for problem in found.conflicts] == [3]
    assert found.unknown == ()
    assert [change.row for change in found.changes or ()] == ([2] if find is find_changes else [])


def test_of_valid_rows_the_ids_can_be_looked_up_alone(context: RunContext, sandbox: Sandbox) -> None:
    invalid = CheckedRow(3, "nine", Status.INVALID, None, (), ())
    blank = CheckedRow(4, "78", Status.UNCHANGED, None, (), ())
    rows = [row(0), invalid, blank]
    found = find_unknown(rows, "Nr", None, context.client, 2, ignore_progress)
    assert (found.changes, found.same, found.unknown, found.calls) == (None, 0, ("78",), 2)
    assert [problem.row for problem in found.problems] == [4]
    assert count_kinds(sandbox) == {"list": 1, "token": 1}


def test_what_looking_up_costs_is_known_before() -> None:
    rows = [row(at) for at in range(51)]
    invalid = CheckedRow(99, "nine", Status.INVALID, None, (), ())
    alone = row(60)._replace(body='{"Fax": "1"}', fields=("Fax",))
    assert count_read_requests([*rows, alone, invalid]) == 2 + 1
    assert count_read_requests(rows[:50]) == 1
    assert count_id_requests([*rows, alone, invalid]) == 2
    assert count_id_requests([invalid]) == 0
    assert not is_listed(["Name", "Fax"])


@pytest.mark.parametrize("is_sure", [True, False])
def test_whom_the_list_lacks_is_read_before_it_counts_as_unknown_if_that_matters(
    make_sandbox: Any, tmp_path: Path, is_sure: bool
) -> None:
    none = answer_json({"Items": [], "TotalResults": 0})
    hiding = make_sandbox(plan=lambda call: none if call.kind == "list" else None)
    driver = Driver(hiding.base_url, tmp_path)
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        [found] = look_up([row(0)], context.client, 2, ignore_progress, live_key=None, is_sure=is_sure)
    assert (found.live is not None) == is_sure
    assert found.to_send == ("Name",)
    assert (found.find_problem() is None) == is_sure


def test_what_was_read_is_counted_and_everyone_is_answered(context: RunContext) -> None:
    wanted = {str(FIRST + at): ("Name",) for at in range(60)} | {"77": ("Name",), str(FIRST + 70): ("Fax",)}
    counted: list[int] = []
    found = dict(read_live(context.client, wanted, 2, lambda count, _waiting: counted.append(count)))
    assert found.keys() == wanted.keys()
    assert sum(counted) == 62
    assert [key for key, live in found.items() if live is None] == ["77"]
    assert "Fax" in (found[str(FIRST + 70)] or {})
