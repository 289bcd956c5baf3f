"""Whatever our sheets send and others change over the nights: no row is left out whose customer has other values."""

from __future__ import annotations

import itertools
import threading
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import decode_body
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.loading.input_file import load_frame
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import create_run
from bulkupdate.runs.run_records import RowOutcome, RunOptions
from bulkupdate.runs.sending.phases import PhaseCounter, ignore_phases
from bulkupdate.runs.sending.selection import Selection, make_selection
from bulkupdate.runs.sending.snapshots import FirstReader
from bulkupdate.settings import Settings
from tests.postgres import place_of

IDS = ("1", "2")
SHEETS = (("Name",), ("Fax",), ("Name", "Fax"))
"""The list shows names, but no fax numbers."""

NIGHTS = st.tuples(st.sampled_from(SHEETS), st.sampled_from(["xx", "xy", "yy"]), st.booleans())
OTHERS = st.tuples(st.sampled_from(IDS), st.sampled_from(["Name", "Fax", "Comments"]), st.sampled_from(["x", "z"]))
NAMES, FAXES = (SHEETS[0], "xx", False), (SHEETS[1], "xx", False)
STEPS = st.lists(NIGHTS | OTHERS, min_size=3, max_size=14)
NUMBERS = itertools.count()
RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


class Service(Clock):
    """The client of a service that keeps customers and when each was modified; its clock is everyone's."""

    base_url = "http://service/rest/api"
    list_filters_ids = True

    def __init__(self):
        self.time = 1_800_000_000.0
        self.customers = {key: dict.fromkeys(("Name", "Fax", "Comments"), "") for key in IDS}
        self.modified = dict.fromkeys(IDS, "")
        self.calls = 0
        self.pipeline = SimpleNamespace(service_time=lambda ours: ours)
        self.quota = SimpleNamespace(waiting=None)

    def now(self):
        return self.time

    def update(self, customer_id, values):
        self.customers[customer_id] |= values
        self.modified[customer_id] = format_utc(self.time)

    def sign_in(self):
        pass

    def list_page(self, page, *, modified, fields):
        found = [key for key, at in self.modified.items() if at >= modified[0] and at <= (modified[1] or "9")]
        return dict.fromkeys(found if page == 1 else ()), len(found)

    def list_customers(self, ids):
        return {key: {"Name": self.customers[key]["Name"]} for key in ids}

    def read_customer(self, customer_id):
        return dict(self.customers[customer_id])


@pytest.fixture
def check(tmp_path):
    """Return a function that goes through steps, two hours apart."""

    def check(steps):
        service, state = Service(), tmp_path / str(next(NUMBERS))
        with Journal(place_of(state), service) as journal:
            made = Settings(base_url=service.base_url, state_dir=state, trust_modified_filter=True, concurrency=1)
            context = RunContext(made, journal, service, service, threading.Event())
            for number, step in enumerate(steps):
                service.time += 7200
                if step[0] in IDS:
                    service.update(step[0], {step[1]: step[2]})
                else:
                    send(context, service, f"run-{number}", *step)

    return check


def send(context, service, run_id, names, cells, is_selective):
    lines = [{"CustomerId": key, **dict.fromkeys(names, cell)} for key, cell in zip(IDS, cells, strict=True)]
    checked = load_frame(pd.DataFrame(lines), context.settings, SheetOptions())
    options = RunOptions(only_changes=is_selective, since_last=not is_selective)
    selection = make_selection(checked, context, options)
    for wanted, row in zip(checked.rows(), selection.rows(), strict=True):
        if row.status is Status.UNCHANGED and wanted.body is not None:
            live = service.customers[row.customer_id]
            assert {name: live[name] for name in wanted.fields} == decode_body(wanted.body), row.reason
    run = create_run(context, run_id, selection, options, context.settings.state_dir / f"{run_id}.csv")
    for row in list(context.journal.pending(run)):
        service.time += 30
        context.journal.record(run, intents=[row])
        service.update(row.customer_id, decode_body(row.body))
        outcome = RowOutcome(row.number, Status.UPDATED, 200, 1, "", format_utc(service.time))
        context.journal.record(run, outcomes=[outcome])


def test_what_the_policy_keeps_is_known_since_reading_began(tmp_path):
    """Reading may take an hour, in which others may change what was already read."""
    service = Service()
    read_at = service.update("1", {"Fax": "kept"}) or format_utc(service.time)

    def read_slowly(customer_id):
        service.time += 1800
        return dict(service.customers[customer_id])

    service.read_customer = read_slowly
    with Journal(place_of(tmp_path), service) as journal:
        made = Settings(base_url=service.base_url, state_dir=tmp_path, write_policy="Fax=only-if-empty", concurrency=1)
        context = RunContext(made, journal, service, service, threading.Event())
        checked = load_frame(pd.DataFrame({"CustomerId": ["1"], "Fax": ["2"]}), made, SheetOptions())
        run = create_run(context, "run", Selection(checked, "name", ""), RunOptions(), tmp_path / "run.csv")
        phases = PhaseCounter(ignore_phases, service, lambda: 0)
        reader = FirstReader(run, journal, service, service, lambda _outcomes, _waiting: None, 1, phases, "name")
        assert list(reader.read_before_send(journal.pending(run))) == []
        assert journal.select("SELECT body, seen_at FROM seen") == [('{"Fax": "kept"}', read_at)]


@settings(RELAXED, max_examples=6, derandomize=True)
@given(steps=STEPS)
@example(steps=[NAMES, ("1", "Name", "z"), FAXES, FAXES, NAMES])  # what is known of faxes says nothing about names
def test_no_value_is_trusted_that_others_have_changed(check, steps):
    check(steps)


@pytest.mark.long
@settings(RELAXED, max_examples=600)
@given(steps=STEPS)
def test_no_value_is_trusted_that_others_have_changed_over_many_more_nights(check, steps):
    check(steps)
