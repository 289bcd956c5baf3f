"""`doctor --probe` settles on one customer what reading cannot show, and puts the customer back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError, ExitCode, InterruptedRunError, StoppedError
from bulkupdate.runs.context import open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.tenant import probe
from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.runs.tenant.facts import FACTS, Step, to_switches
from bulkupdate.runs.tenant.probe import MOST_REQUESTS
from bulkupdate.runs.tenant.probe_run import RESTORE, find_open_probe
from bulkupdate.runs.tenant.probe_steps import TEXT
from bulkupdate.runs.tenant.probed_customer import ProbedCustomer, read_customer
from bulkupdate.runs.undo_sheet import find_restorations
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.responses import error_response
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import find_puts, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.runs.tenant.probing import HurriedClock, find_probeable, hold_probe, learn, make_settings


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"rating_format": "name", "empty_string": "ignored", "unknown_customer_status": 500},
        {"rating_format": "code", "null_value": "clears", "unknown_name": "refused", "sign_in_refusal_status": 401},
        {"aliases": "append", "unknown_customer_status": 400},
        {"rating_format": "name", "null_value": "clears", "unknown_name": "refused"},  # costs most
    ],
)
def test_the_probe_finds_out_how_updates_are_taken_with_forty_requests_at_most(make_sandbox, tmp_path, switches):
    sandbox = make_sandbox(customers=120, **switches)
    facts, _, calls = learn(sandbox, tmp_path, is_read=False)
    found = to_switches(facts)
    expected = {name: getattr(sandbox.options, name) for name in found}
    assert found == expected
    assert {fact.name for fact in FACTS if fact.step in (Step.PROBE, Step.SIGN_IN, Step.ALIASES)} <= set(facts)
    assert calls == len(sandbox.requests) <= MOST_REQUESTS
    assert facts["texts_changed"] == []
    assert facts["read_delay"] == "at once"
    assert "build_date" in facts
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        assert journal.tally(journal.find_run()).counts.keys() == {"unchanged"}, "each step was made, or not needed"


@pytest.mark.parametrize(
    "fault", ["error-500", "error-503", "refused-200", "conflict-409", "cut-before", "cut-after", "html-502"]
)
def test_answers_that_settle_nothing_stop_the_probe_with_the_customer_as_before(make_sandbox, tmp_path, fault):
    sandbox = make_sandbox(customers=120, faults={fault: 1.0})
    customer_id = find_probeable(sandbox)
    before = sandbox.customer(customer_id)
    with pytest.raises(StoppedError) as stopped:
        learn(sandbox, tmp_path, is_read=False, also=())
    assert sandbox.customer(customer_id) == before
    assert "The customer is as before." in str(stopped.value.remedy)
    assert len(sandbox.requests) <= MOST_REQUESTS
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        assert journal.find_run().state is RunState.FINISHED
        assert not {"rating_format", "empty_string", "null_value", "texts_changed"} & set(find_all_facts(journal))


def test_all_that_a_killed_probe_may_have_sent_is_restored_as_one_customer(sandbox, tmp_path):
    with hold_probe(sandbox, tmp_path, "text", "rating by name") as customer_id:
        before = sandbox.customer(customer_id)
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        (restored,) = find_restorations(journal, journal.find_run())
    assert (restored.customer_id, restored.before["Comments"]) == (customer_id, before["Comments"])
    assert restored.written.keys() == {"Comments", "Rating"}
    assert restored.sent == {name: values[-1] for name, values in restored.written.items()}


class InterruptingClock(HurriedClock):
    """Ctrl-C at the third wait for the service."""

    waits = 0

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self.waits += 1
        if self.waits == 3:
            stop.set()
        return stop.is_set()


def test_an_interrupted_probe_puts_the_customer_back_before_it_ends(make_sandbox, tmp_path):
    sandbox = make_sandbox(customers=120)
    customer_id = find_probeable(sandbox)
    before = sandbox.customer(customer_id)
    with pytest.raises(InterruptedRunError) as interrupted:
        learn(sandbox, tmp_path, is_read=False, also=(), clock=InterruptingClock())
    assert find_puts(sandbox)
    assert sandbox.customer(customer_id) == before
    assert "The customer is as before." in str(interrupted.value.remedy)


@pytest.mark.parametrize(
    "fault", ["cut-after", *(pytest.param(each, marks=pytest.mark.long) for each in ("error-500", "html-502"))]
)
def test_a_step_without_a_clear_answer_is_left_open_and_the_others_are_concluded(make_sandbox, tmp_path, fault):
    whole, _, _ = learn(make_sandbox(customers=120), tmp_path / "whole", is_read=False, also=())
    sandbox = make_sandbox(customers=120, plan=ScheduledFaults(writes=[None, None, fault]))
    facts, _, _ = learn(sandbox, tmp_path, is_read=False, also=(), is_complete=False)
    assert facts.keys() < whole.keys()
    assert facts == {name: whole[name] for name in facts}, "what it may have done is not taken for another step's"


def test_a_probe_whose_customer_cannot_be_put_back_has_not_ended(make_sandbox, tmp_path):
    """Its updates are taken, but not those that put the customer back: `doctor --restore` is still to do so."""
    lost = [*[None] * 4, *["ignored-200"] * 60]
    sandbox = make_sandbox(customers=120, plan=ScheduledFaults(writes=lost))
    with pytest.raises(StoppedError) as stopped:
        learn(sandbox, tmp_path, is_read=False, also=())
    assert stopped.value.remedy == RESTORE
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        assert journal.find_run().state is RunState.STOPPED
    *_, before, first, second, third = [request.body for request in sandbox.requests if request.kind == "write"]
    assert before != first == second == third, "it is tried three times"


class LateUpdate(HurriedClock):
    """The service applies an update that it did not answer when all has been asked, in the last seconds waited."""

    sandbox: Sandbox
    customer_id = ""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        if self.sandbox.requests[-1].status == 401:
            self.sandbox.service.registry.update(int(self.customer_id), {"Comments": TEXT}, is_applied=True)
        return super().wait(seconds, stop)


def test_an_update_that_was_not_answered_is_waited_for_before_the_probe_ends(make_sandbox, tmp_path):
    clock = LateUpdate()
    clock.sandbox = make_sandbox(customers=120, plan=ScheduledFaults(writes=[None, None, "cut-before"]))
    clock.customer_id = find_probeable(clock.sandbox, "Comments")
    learn(clock.sandbox, tmp_path, "Comments", is_read=False, also=(), clock=clock, is_complete=False)
    kinds = [request.kind for request in clock.sandbox.requests]
    assert kinds[-3:] == ["read", "write", "read"], "it is found and put back"


@contextmanager
def meet(sandbox: Sandbox, folder: Path, customer_id: str) -> Iterator[ProbedCustomer]:
    """A customer as a probe has read it before."""
    with open_context(make_settings(sandbox, folder), HurriedClock(), threading.Event()) as context:
        questioner = Questioner(context.client)
        before = read_customer(questioner, customer_id)
        assert before is not None
        yield ProbedCustomer(questioner, customer_id, before)


def test_aliases_that_are_added_up_are_sent_once_only(make_sandbox, tmp_path):
    """Each attempt to put them back would add them once more."""
    sandbox = make_sandbox(customers=120, faults={"ignored-200": 1.0})
    customer_id = find_probeable(sandbox)
    with meet(sandbox, tmp_path, customer_id) as customer:
        left = [customer.before["BusinessAliases"][0]]
        sandbox.service.registry.update(int(customer_id), {"BusinessAliases": left}, is_applied=True)
        customer.written = {"BusinessAliases": [tuple(left)]}
        customer.read()
        for facts, attempts in (({"aliases": "append"}, 1), ({}, 3)):
            sandbox.reset_log()
            with pytest.raises(StoppedError, match="BusinessAliases could not be put back"):
                customer.put_back(facts, lambda: None)
            assert len(find_puts(sandbox)) == attempts


def test_a_customer_that_only_others_have_changed_costs_no_further_request(make_sandbox, tmp_path):
    sandbox = make_sandbox(customers=120)
    customer_id = find_probeable(sandbox)
    with meet(sandbox, tmp_path, customer_id) as customer:
        sandbox.service.registry.update(int(customer_id), {"Salesman": "an edit"}, is_applied=True)
        customer.read()
        sandbox.reset_log()
        with pytest.raises(StoppedError, match="Salesman changed meanwhile"):
            customer.put_back({}, lambda: None)
    assert sandbox.requests == ()


def test_a_service_that_refuses_to_empty_a_field_is_told_from_one_that_ignores_it(make_sandbox, tmp_path):
    def refuse(request: Any) -> Any:
        is_emptying = request.kind == "write" and b'""' in sandbox.requests[-1].body
        return error_response(400, "A text must not be empty") if is_emptying else None

    sandbox = make_sandbox(customers=120, plan=refuse)
    facts, _, _ = learn(sandbox, tmp_path, is_read=False, also=())
    assert (facts["empty_string"], facts["null_value"]) == ("refused", "ignored")


def test_a_list_that_keeps_back_its_only_customer_does_not_show_whether_it_filters_by_time(make_sandbox, tmp_path):
    facts, _, _ = learn(make_sandbox(customers=120, kept_back="customer"), tmp_path, also=())
    assert facts["kept_back"] == "customer"
    assert "modified_shows" not in facts


def test_a_probe_that_has_not_ended_is_found_by_its_service(make_sandbox, tmp_path):
    sandbox = make_sandbox()
    with hold_probe(sandbox, tmp_path):
        pass
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        run = journal.find_run()
        assert find_open_probe(journal, run.host) == run
        assert find_open_probe(journal, "other.example") is None
        journal.set_state(run, RunState.FINISHED)
        assert find_open_probe(journal, run.host) is None


def test_others_see_a_probe_at_work(make_sandbox, tmp_path):
    seen = []

    def look(request: Any) -> None:
        if request.kind == "write":
            with Journal(place_of(tmp_path / "state"), Clock()) as journal:
                seen.append(journal.find_run().state)

    learn(make_sandbox(customers=120, plan=look), tmp_path, is_read=False, also=())
    assert set(seen) == {RunState.RUNNING}


def test_a_run_that_began_at_the_same_moment_is_not_disturbed(sandbox, tmp_path, monkeypatch):
    def find_late(_journal: object, _host: str, *own: object) -> None:
        if own:
            raise BusyError("Run r1 is at work at this service.")

    monkeypatch.setattr(probe, "require_idle", find_late)
    with pytest.raises(BusyError):
        learn(sandbox, tmp_path, is_read=False)
    assert not find_puts(sandbox)
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        assert (journal.find_run().state, journal.find_run().stopped_by) == (
            RunState.FINISHED, "Run r1 is at work at this service.",
        )  # fmt: skip


def test_a_run_that_begins_during_a_probe_is_refused_and_can_be_continued(sandbox, tmp_path):
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 2))
    with hold_probe(sandbox, tmp_path):
        result = driver.execute_run(run)
        assert result.exit_code is ExitCode.BUSY
        assert result.run.state is RunState.STOPPED
        assert not find_puts(sandbox)
    assert driver.execute_run(run).exit_code is ExitCode.DONE


def test_an_update_shows_up_in_the_list_whatever_the_clock_of_this_machine_says(make_sandbox, tmp_path):
    facts, _, _ = learn(make_sandbox(customers=120), tmp_path, is_read=False, also=(), clock=HurriedClock(7200))
    assert facts["modified_shows"] is True


def test_a_second_probe_is_refused(sandbox, tmp_path):
    with hold_probe(sandbox, tmp_path), pytest.raises(BusyError):
        learn(sandbox, tmp_path, is_read=False)
    assert not find_puts(sandbox)


@pytest.mark.parametrize("name", ["Comments", "Salesman"])
def test_what_someone_else_changes_during_a_probe_stays(make_sandbox, tmp_path, name):
    def edit(request: Any) -> None:
        if request.kind == "read" and request.attempt == 7:  # two seconds after the text was sent
            sandbox.service.registry.update(int(request.customer_id), {name: "an edit"}, is_applied=True)

    sandbox = make_sandbox(customers=120, plan=edit)
    customer_id = find_probeable(sandbox, "Comments")
    before = sandbox.customer(customer_id)
    with pytest.raises(StoppedError, match=f"not as before: {name} changed meanwhile, but not through the probe"):
        learn(sandbox, tmp_path, "Comments", is_read=False, also=())
    assert sandbox.customer(customer_id) == before | {name: "an edit"}
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        assert "texts_changed" not in find_all_facts(journal)


def find_all_facts(journal: Journal) -> dict[str, object]:
    return dict(journal.select("SELECT name, value FROM facts"))


@pytest.mark.parametrize(("fault", "kind"), [("html-200", "a page"), ("empty-body", "empty or other text")])
def test_an_answer_without_a_usable_body_is_judged_by_reading(make_sandbox, tmp_path, fault, kind):
    facts, _, _ = learn(make_sandbox(customers=120, faults={fault: 1.0}), tmp_path, is_read=False, also=())
    assert (facts["rating_format"], facts["empty_string"], facts["equal_value"]) == ("both", "clears", "accepted")
    assert facts["accepted_body"] == kind
