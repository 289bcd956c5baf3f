"""`doctor --probe` and `--restore` as commands: asked, refused, reported, killed."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.tenant.probe_steps import TEXT
from bulkupdate.sandbox.responses import error_response
from tests.conftest import Program, find_puts, write_sheet
from tests.postgres import database_variable, place_of
from tests.runs.killing import KILLED
from tests.runs.tenant.probing import find_probeable, hold_probe
from tests.test_json_schema import require_valid

HURRY = "import bulkupdate.clock\nbulkupdate.clock.Clock.wait = lambda _clock, _seconds, stop: stop.is_set()\n"


def probe(
    program: Program, customer_id: str, *arguments: object, typed: str = "", kill_at: int | None = None, **settings: Any
) -> int:
    """The exit code; what it wrote is in `out` and `err`."""
    patch = f"{HURRY}import io, sys\nsys.stdin = io.StringIO({(typed or customer_id) + chr(10)!r})"
    environment = program._add_settings({"timeout": 10, "retry_wait": 0, **settings})
    arguments = ("doctor", "--probe", customer_id, "--json", *arguments)
    return program._warm.call(program.folder, environment, *arguments, kill_at=kill_at, patch=patch)


def restore(program: Program, *arguments: str, kill_at: int | None = None) -> int:
    environment = program._add_settings({"retry_wait": 0})
    arguments = arguments or ("doctor", "--restore")
    code = program._warm.call(program.folder, environment, *arguments, "--json", patch=HURRY, kill_at=kill_at)
    if code != KILLED:
        require_valid("doctor", (program.folder / "out").read_text())
    return code


def read_told(program: Program) -> Any:
    return json.loads((program.folder / "out").read_text())


def test_a_probe_says_what_it_will_do_asks_for_the_id_and_reports_no_value(run_program, sandbox, tmp_path):
    customer_id = find_probeable(sandbox)
    before = sandbox.customer(customer_id)
    assert probe(run_program, customer_id, typed="1") == ExitCode.USAGE
    require_valid("doctor", (tmp_path / "out").read_text())
    assert not find_puts(sandbox)
    report = tmp_path / "facts.json"
    also = ("--also", "aliases", "--also", "sign-in")
    assert probe(run_program, customer_id, "--facts", "--report", report, *also) == 0, (tmp_path / "err").read_text()
    shown = (tmp_path / "err").read_text()
    assert f"Customer {customer_id} at" in shown
    assert before["Name"] in shown
    assert sandbox.customer(customer_id) == before
    require_valid("doctor", (tmp_path / "out").read_text())
    told, text = read_told(run_program), report.read_text().casefold()
    assert told["facts"]["rating_format"] == "both"
    assert told["facts"]["list_filter"] == "filters"
    assert told["calls"] <= 40 + 20
    values = [each for each in before.values() if isinstance(each, str)] + list(before["BusinessAliases"])
    secrets = {*values, customer_id, "sandbox-1-", "bulkupdate probe", sandbox.base_url.split("/")[2]}
    assert [secret for secret in secrets if secret.casefold() in text] == []
    assert not {"email", "iswholesale", "companyid", "name", "businessname"} & {
        each.casefold() for each in _list_sent(sandbox)
    }
    answer = run_program("undo", told["run"], "--run", "--yes")
    assert answer.exit_code == ExitCode.DONE, answer.err
    assert answer.counts == {"unchanged": 1}
    assert sandbox.customer(customer_id) == before


def _list_sent(sandbox: Any) -> set[str]:
    return {name for each in sandbox.requests if each.kind == "write" for name in json.loads(each.body)}


def test_a_probe_is_refused_while_a_run_of_the_service_is_sent(run_program, sandbox, tmp_path):
    run_program("run", write_sheet(tmp_path / "customers.csv", 2), "--yes")
    with Journal(place_of(run_program.state), Clock()) as journal, ExitStack() as stack:
        run = journal.find_run()
        stack.enter_context(lock_run(journal, run.id))
        journal.set_state(run, RunState.RUNNING)
        puts = len(find_puts(sandbox))
        assert probe(run_program, find_probeable(sandbox)) == ExitCode.BUSY
        assert len(find_puts(sandbox)) == puts


def test_a_customer_that_could_not_be_put_back_is_refused(run_program, sandbox):
    ids = sandbox.service.registry.ids
    customer_id = next(each for each in ids if not any(sandbox.customer(each)[n] for n in ("Comments", "Title", "Fax")))
    assert probe(run_program, str(customer_id)) == ExitCode.USAGE
    assert probe(run_program, "7") == ExitCode.USAGE
    assert probe(run_program, find_probeable(sandbox), requests_per_hour=30) == ExitCode.USAGE
    assert "The quota has no room for 40 requests now" in (run_program.folder / "err").read_text()
    assert not find_puts(sandbox)


@pytest.mark.parametrize("name", ["Comments", "Salesman"])
def test_restore_puts_back_what_the_probe_left_and_names_what_someone_else_changed(
    run_program, sandbox, tmp_path, name
):
    with hold_probe(sandbox, tmp_path, "text", "rating by name") as customer_id:
        before = sandbox.customer(customer_id)
        left = {"Comments": TEXT, "Rating": 3 if before["Rating"] != 3 else 4} | {name: "an edit"}
        sandbox.service.registry.update(int(customer_id), left, is_applied=True)
    assert probe(run_program, customer_id) == ExitCode.USAGE  # the stopped one comes first
    assert restore(run_program) == (ExitCode.INCOMPLETE if name == "Comments" else ExitCode.DONE)
    assert sandbox.customer(customer_id) == before | {name: "an edit"}
    shown = (tmp_path / "err").read_text()
    assert f"Warning: customer {customer_id} is not as before in {name}: left as it is." in shown
    assert ("To overwrite Comments: `bulkupdate run" in shown) is (name == "Comments")
    assert restore(run_program) == ExitCode.DONE  # nothing is left


def test_a_customer_that_vanished_can_be_put_back_once_it_is_there_again(make_sandbox, tmp_path, warm_program):
    is_gone = True
    sandbox = make_sandbox(plan=lambda each: error_response(404, "not found") if is_gone and each.customer_id else None)
    program = Program(sandbox.base_url, tmp_path, warm_program)
    is_gone = False
    with hold_probe(sandbox, tmp_path, "text") as customer_id:
        before = sandbox.customer(customer_id)
        sandbox.service.registry.update(int(customer_id), {"Comments": TEXT}, is_applied=True)
    is_gone = True
    assert restore(program) == ExitCode.INCOMPLETE
    advice = f"Should it come back: `bulkupdate undo {run_ids(program)[-1]} --run`"
    assert advice in (tmp_path / "err").read_text()
    is_gone = False
    assert restore(program, "undo", run_ids(program)[-1], "--run", "--yes") == ExitCode.DONE
    assert sandbox.customer(customer_id) == before
    assert restore(program, "doctor", "--restore", "--facts") == ExitCode.USAGE


def kill_and_restore(program: Program, sandbox: Any, customer_id: str, n: int, how: str) -> bool:
    """Whether the n-th event was there to be killed at; the customer is as before in either case."""
    before = sandbox.customer(customer_id)
    program.state = program.folder / f"state-{how}-{n}"
    program.environment |= {"BULKUPDATE_STATE_DIR": str(program.state), **database_variable(program.state)}
    code = probe(program, customer_id, kill_at=n)
    assert code in (KILLED, 0), (program.folder / "err").read_text()
    if how == "undo" and code == KILLED and (runs := run_ids(program)):
        assert program("undo", runs[0], "--run", "--yes").exit_code == ExitCode.DONE
        assert sandbox.customer(customer_id) == before
    assert restore(program) == ExitCode.DONE, (program.folder / "err").read_text()
    assert sandbox.customer(customer_id) == before, f"killed at {n}"
    return code == KILLED


def run_ids(program: Program) -> list[str]:
    with Journal(place_of(program.state), Clock()) as journal:
        return [run.id for run in journal.runs()]


@pytest.mark.parametrize(("how", "step"), [("restore", 173), pytest.param("undo", 173, marks=pytest.mark.long)])
def test_killed_at_some_events_restore_or_undo_puts_the_customer_back(run_program, sandbox, how, step):
    customer_id, n = find_probeable(sandbox), 11
    while kill_and_restore(run_program, sandbox, customer_id, n, how):
        n += step
    assert n > 300, "the events must cover the probe"


def kill_the_restoring(program: Program, sandbox: Any, n: int, how: str) -> bool:
    """Whether the n-th event was there to be killed at; restored again, the customer is as before."""
    program.state = program.folder / f"{how}-{n}" / "state"
    program.environment |= {"BULKUPDATE_STATE_DIR": str(program.state), **database_variable(program.state)}
    with hold_probe(sandbox, program.state.parent, "text", "rating by name") as customer_id:
        before = sandbox.customer(customer_id)
        left = {"Comments": TEXT, "Rating": 3 if before["Rating"] != 3 else 4}
        sandbox.service.registry.update(int(customer_id), left, is_applied=True)
    arguments = ("doctor", "--restore") if how == "restore" else ("undo", run_ids(program)[0], "--run", "--yes")
    code = restore(program, *arguments, kill_at=n)
    assert code in (KILLED, 0)
    assert restore(program) == ExitCode.DONE
    assert sandbox.customer(customer_id) == before, f"killed at {n}"
    return code == KILLED


def kill_at_each(program: Program, sandbox: Any, how: str, first: int, step: int) -> int:
    """Return the first event after the last one."""
    n = first
    while kill_the_restoring(program, sandbox, n, how):
        n += step
    return n


@pytest.mark.long
def test_the_restoring_killed_at_every_event_can_be_repeated(run_program, sandbox):
    assert kill_at_each(run_program, sandbox, "restore", 1, 1) > 50


@pytest.mark.parametrize(("how", "first"), [pytest.param("restore", 80, marks=pytest.mark.long), ("undo", 70)])
def test_the_restoring_killed_at_some_events_can_be_repeated(run_program, sandbox, how, first):
    assert kill_at_each(run_program, sandbox, how, first, 100) > 100


@pytest.mark.long
@pytest.mark.parametrize(("rating_format", "first", "step"), [*(("both", n, 5) for n in range(1, 6)), ("code", 1, 9)])
def test_killed_at_every_event_restore_puts_the_customer_back(
    make_sandbox, tmp_path, warm_program, rating_format, first, step
):
    sandbox = make_sandbox(customers=120, rating_format=rating_format)
    program = Program(sandbox.base_url, tmp_path, warm_program)
    customer_id, n = find_probeable(sandbox), first
    while kill_and_restore(program, sandbox, customer_id, n, "restore"):
        n += step
    assert n > 300
