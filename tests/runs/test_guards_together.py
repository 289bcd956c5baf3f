"""All guards together: whatever the sheet, the settings and the service, no guard lets a row through."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.customers.write_policy import WritePolicy
from bulkupdate.runs.context import open_context
from bulkupdate.runs.guards import check_limits
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import create_run, new_run_id
from bulkupdate.runs.run_records import RunOptions, RunState
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.runs.sending.selection import make_selection
from tests.conftest import FIRST, write_csv
from tests.runs.in_process import Driver

NAMES = ("Name", "Email", "Fax", "BusinessName", "Salesman", "BusinessAliases")
EMPTY = (None, "", (), [])
NUMBERS = itertools.count()
RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))

CELLS = st.sampled_from(["", "a@example.com", "b@example.com", "<clear>"])
SHEETS = st.lists(st.lists(CELLS, min_size=len(NAMES), max_size=len(NAMES)), min_size=1, max_size=8)
ROWS = st.integers(0, 7)
LIMITS = st.sampled_from(["", "none", "0", "50%", "100%"]) | ROWS.map(str)
CASES = st.fixed_dictionaries({
    "earlier": st.none() | SHEETS,
    "others": st.lists(st.tuples(ROWS, st.sampled_from(NAMES[:5]), st.sampled_from(["", "c@example.com"])), max_size=4),
    "sheet": SHEETS,
    "policy": st.lists(st.sampled_from(WritePolicy), min_size=len(NAMES), max_size=len(NAMES)).filter(
        lambda chosen: set(chosen) != {WritePolicy.NEVER}
    ),
    "limits": st.tuples(LIMITS, LIMITS),
    "deaf": st.frozensets(ROWS, max_size=2),
    "options": st.builds(
        RunOptions, only_changes=st.booleans(), since_last=st.booleans(), snapshot=st.booleans(),
        canary=st.integers(0, 4),
    ),
    "is_asked": st.booleans(),
})  # fmt: skip


@pytest.fixture
def check(make_sandbox, tmp_path):
    """Return a function that sends a sheet under guards, and checks every update against what was live before."""
    deaf: set[str] = set()
    sandbox = make_sandbox(
        plan=lambda call: "ignored-200" if call.kind == "write" and call.customer_id in deaf else None
    )
    registry = sandbox.service.registry

    def run(folder, lines, options, policy="", limits=("", ""), is_asked=False):
        """Return the updates in their order, and their run; None if the sheet was refused."""
        given = {
            "write_policy": policy, "max_changes": ChangeLimit(limits[0]), "max_clears": ChangeLimit(limits[1]),
            "trust_modified_filter": is_asked, "concurrency": 1,
        }  # fmt: skip
        sheet = write_csv(
            folder / "in.csv", [["CustomerId", *NAMES], *([FIRST + at, *cells] for at, cells in enumerate(lines))]
        )
        driver = Driver(sandbox.base_url, folder, settings=given)
        made, last = driver.make_settings(), len(sandbox.requests)
        with open_context(made, driver.clock, driver.stop) as context:
            checked = load_input_file(sheet, made, SheetOptions())
            selection = make_selection(checked, context, options)
            if check_limits(selection.rows(), made):
                return [], None
            run = create_run(context, new_run_id(driver.clock.now()), selection, options, folder / "out.csv")
            ended = execute_run(run, context, lambda _outcomes, _waiting: None).run
            if ended.state is RunState.STOPPED:
                execute_run(ended, context, lambda _outcomes, _waiting: None)
        writes = [each for each in sandbox.requests[last:] if each.kind == "write"]
        return [(int(each.customer_id), json.loads(each.body)) for each in writes], run

    def check(case):
        folder = tmp_path / str(next(NUMBERS))
        folder.mkdir()
        registry._changes.clear()
        deaf.clear()
        if case["earlier"]:
            run(folder, case["earlier"], RunOptions())
        for at, name, value in case["others"]:
            registry.update(FIRST + at, {name: value}, is_applied=True)
        deaf.update(str(FIRST + at) for at in case["deaf"])
        before = {FIRST + at: sandbox.customer(FIRST + at) for at in range(8)}
        policies = dict(zip(NAMES, case["policy"], strict=True))
        policy = ",".join(map("=".join, policies.items()))
        writes, _ = run(folder, case["sheet"], case["options"], policy, case["limits"], case["is_asked"])
        check_policy(writes, before, policies)
        check_limit(len({key for key, _ in writes}), case["limits"][0], len(case["sheet"]))
        clearing = {key for key, body in writes if any(value in ("", []) for value in body.values())}
        check_limit(len(clearing), case["limits"][1], len(case["sheet"]))
        check_canary([(key, is_live(sandbox.customer(key), body)) for key, body in writes], case["options"].canary)

    return check


def check_policy(writes, before, policies):
    for customer_id, body in writes:
        for name in body:
            assert policies[name] is not WritePolicy.NEVER
            assert policies[name] is WritePolicy.OVERWRITE or before[customer_id][name] in EMPTY, (customer_id, name)


def check_limit(count, limit, rows):
    if limit not in ("", "none"):
        assert count <= (int(limit[:-1]) * rows / 100 if limit.endswith("%") else int(limit))


def check_canary(writes, canary):
    """The customers in the order of their first update, and whether they then had its values."""
    order = list(dict(writes))
    if any(not agrees and order.index(key) < canary for key, agrees in writes):
        assert len(order) <= canary


def is_live(customer, body):
    return all(customer[name] == value or (customer[name] in EMPTY and value in EMPTY) for name, value in body.items())


@settings(RELAXED, max_examples=8, derandomize=True)
@given(case=CASES)
def test_no_guard_lets_a_row_through(check, case):
    check(case)


@pytest.mark.long
@settings(RELAXED, max_examples=600)
@given(case=CASES)
def test_no_guard_lets_a_row_through_in_many_more_cases(check, case):
    check(case)
