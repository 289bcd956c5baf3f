"""Whatever the sheet and the policy: what may not be written is not, and everything else is."""

from __future__ import annotations

import itertools
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.customers.write_policy import WritePolicy
from bulkupdate.runs.context import open_context
from bulkupdate.runs.input_file import SheetOptions, load_input_file
from bulkupdate.runs.new_run import create_selected_run, new_run_id
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.runs.runner import execute_run
from bulkupdate.runs.selection import count_selection_requests, make_selection
from tests.conftest import FIRST, find_puts, write_csv
from tests.runs.in_process import Driver

NAMES = ("Name", "Email", "Fax", "BusinessName", "Salesman", "BusinessAliases")
CELLS = st.sampled_from(["", "a@example.com", "b@example.com", "<clear>"])
SHEETS = st.lists(st.lists(CELLS, min_size=len(NAMES), max_size=len(NAMES)), min_size=1, max_size=8)
POLICIES = st.lists(st.sampled_from(list(WritePolicy)), min_size=len(NAMES), max_size=len(NAMES))
EMPTY = (None, "", (), [])
NUMBERS = itertools.count()


@given(SHEETS, POLICIES, st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_field_is_written_that_the_policy_keeps(sandbox, tmp_path, rows, chosen, only_changes, snapshot):
    policies = dict(zip(NAMES, chosen, strict=True))
    if set(chosen) == {WritePolicy.NEVER}:
        return
    folder = tmp_path / str(next(NUMBERS))
    folder.mkdir()
    before = {FIRST + at: sandbox.customer(FIRST + at) or {} for at in range(len(rows))}
    sheet = write_csv(
        folder / "in.csv", [["CustomerId", *NAMES], *([FIRST + at, *cells] for at, cells in enumerate(rows))]
    )
    driver = Driver(sandbox.base_url, folder, settings={"write_policy": ",".join(map("=".join, policies.items()))})
    made = driver.make_settings()
    last = len(sandbox.requests)
    with open_context(made, driver.clock, driver.stop) as context:
        options = RunOptions(only_changes=only_changes, snapshot=snapshot)
        checked = load_input_file(sheet, made, SheetOptions())
        selection = make_selection(checked, context, options)
        assert selection.calls <= count_selection_requests(checked, options, made) + 1
        run = create_selected_run(context, new_run_id(driver.clock.now()), selection, options, folder / "out.csv")
        assert execute_run(run, context, lambda _outcomes, _waiting: None).tally.is_all_well
    bodies = {int(each.customer_id): json.loads(each.body) for each in sandbox.requests[last:] if each.kind == "write"}
    for (customer_id, old), cells in zip(before.items(), rows, strict=True):
        sent = bodies.get(customer_id, {})
        for name, cell in zip(NAMES, cells, strict=True):
            policy = policies[name]
            may_be_sent = bool(cell) and (
                policy is WritePolicy.OVERWRITE or (policy is WritePolicy.ONLY_IF_EMPTY and old[name] in EMPTY)
            )
            assert name not in sent or may_be_sent, (name, policy, old[name], cell)
            assert name in sent or not may_be_sent or only_changes, (name, policy, old[name], cell)


def test_the_plan_says_what_reading_costs_and_the_results_what_was_kept(run_program, sandbox, tmp_path):
    full = next(at for at in range(FIRST, FIRST + 900) if (sandbox.customer(at) or {})["Fax"])
    empty = next(at for at in range(FIRST, FIRST + 900) if not (sandbox.customer(at) or {})["Fax"])
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], [full, "1", ""], [empty, "2", "x"]])
    done = run_program("run", sheet, "--yes", "-o", "out.csv", write_policy="Fax=only-if-empty,Name=never")
    assert done.counts == {"unchanged": 1, "updated": 1}
    assert find_puts(sandbox) == [str(empty)]
    assert "Reading the live customers takes 2 requests and a sign-in" in done.err
    assert "Name is never written (write policy): its column is ignored." in done.err
    assert "not empty, so kept (write policy): Fax" in (tmp_path / "out.csv").read_text()
