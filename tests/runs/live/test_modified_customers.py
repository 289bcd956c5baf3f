"""What others modify is found night after night, at its own cost alone; our own updates are not read again."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkupdate.clock import Clock, format_utc
from bulkupdate.errors import UnreadableListError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.confirmed_values import Confirmation
from bulkupdate.runs.live.fetch import ignore_progress
from bulkupdate.runs.live.modified_customers import SETTLED_SECONDS, find_modified
from tests.conftest import FIRST, find_puts, write_csv
from tests.postgres import WANTED, place_of

ROWS = 130
NOW = 1_800_000_000
SECONDS = st.integers(1, 20 * 3600)
CUSTOMERS = st.lists(st.tuples(SECONDS, st.booleans(), st.none() | SECONDS), min_size=1, max_size=60)


@dataclass
class Nights:
    """A nightly list, sent by another process each night. Between two nights, all times are set back."""

    run_program: Any
    sandbox: Any
    sheet: Path
    option: str
    count: int = 0

    def __post_init__(self):
        self.lines = [[FIRST + at, f"n {at}", f"s{at}"] for at in range(ROWS)]
        self.run_program.environment["BULKUPDATE_TRUST_MODIFIED_FILTER"] = "true"

    def run(self):
        write_csv(self.sheet, [["CustomerId", "Name", "Salesman"], *self.lines])
        self.sandbox.reset_log()
        self.count += 1
        host = {"state_dir": self.sheet.with_name(f"host-{self.count}")} if WANTED else {}  # others share the database
        done = self.run_program("run", self.sheet, self.option, "--yes", **host)
        assert done.exit_code == 0
        self.told = done.err
        for customer_id, name, salesman in self.lines:
            live = self.sandbox.customer(customer_id)
            assert (live["Name"], live["Salesman"]) == (name, salesman)
        return Counter(each.kind for each in self.sandbox.requests)

    def modify(self, ats, field):
        for at in ats:
            self.sandbox.service.registry.update(FIRST + at, {field: "other"}, is_applied=True)

    def pass_time(self, seconds=86_400):
        def earlier(text):
            return format_utc((datetime.fromisoformat(text) - timedelta(seconds=seconds)).timestamp())

        registry = self.sandbox.service.registry
        registry._modified = {key: earlier(at) for key, at in registry._modified.items()}
        with Journal(place_of(self.run_program.state), Clock()) as journal:
            for table, column in (("rows", "finished_at"), ("seen", "seen_at")):
                times = journal.select(f"SELECT DISTINCT {column} FROM {table} WHERE {column} != ''")
                for (at,) in sorted(times):
                    journal.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", earlier(at), at)


@pytest.fixture
def nights(run_program, sandbox, tmp_path, request):
    return Nights(run_program, sandbox, tmp_path / "list.csv", request.param)


@pytest.mark.long
@pytest.mark.parametrize("nights", ["--since-last", "--only-changes"], indirect=True)
def test_night_after_night_only_what_others_modified_is_read(nights):
    nights.run()
    for night in (1, 2):
        nights.pass_time()
        changed = range(10 * night, 10 * night + 4)
        for at in changed:
            nights.lines[at][1] += "'"
        nights.modify([3, 80 + night], "Name")
        nights.modify([2, 90 + night, changed[0] - 9], "Comments")  # the last was updated by the night before
        nights.pass_time(3600)
        kinds = nights.run()
        modified, restored = 5, 2
        assert kinds["write"] == len(changed) + restored
        assert kinds["read"] == modified + (len(changed) if nights.option == "--only-changes" else 0)
        assert kinds["list"] <= math.ceil((modified + len(changed) + restored) / 50) + 1
        assert kinds["token"] == 1
        assert "others may have modified since: 5." in nights.told


@pytest.mark.parametrize(
    "wrong", [{"total_results": "half"}, pytest.param({"kept_back": "customer"}, marks=pytest.mark.long)]
)
def test_a_list_that_may_lack_customers_is_not_believed(run_program, make_sandbox, tmp_path, wrong):
    sandbox = make_sandbox(**wrong)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    nights = Nights(run_program, sandbox, tmp_path / "list.csv", "--since-last")
    nights.run()
    nights.pass_time()
    nights.modify(range(100), "Comments")  # half of them is a full page, which alone would look complete
    nights.pass_time(3600)
    sandbox.reset_log()
    refused = run_program("run", nights.sheet, "--since-last", "--yes")
    assert (refused.exit_code, find_puts(sandbox)) == (4, [])
    assert "list of modified customers is not complete" in refused.err


@given(CUSTOMERS, st.booleans(), st.integers(-20_000, 20_000))
def test_a_modification_is_found_unless_it_followed_our_own_update_within_a_minute(customers, is_end_ignored, offset):
    """`ago` is when a customer was last updated or read; `others` when somebody else last modified it."""
    modified_at, known = {}, {}
    for number, (ago, is_sent, others) in enumerate(customers):
        known[str(number)] = Confirmation("r", "", 0, format_utc(NOW - ago), is_sent)
        ours, theirs = NOW - ago if is_sent else 0, 0 if others is None else NOW - others
        if last := max(ours, theirs):
            modified_at[str(number)] = last
    found = find_modified(Lister(modified_at, is_end_ignored, offset).context, known, ignore_progress)
    for number, (ago, is_sent, others) in enumerate(customers):
        if others is not None and others < ago - (66 if is_sent else -60):
            assert str(number) in found, "others modified it afterwards"
        elif is_sent and ago > 66 and (others is None or others > ago) and not is_end_ignored:
            assert str(number) not in found, "nobody else did"


def test_nobody_lists_a_month_for_the_sake_of_a_few_customers():
    lister = Lister({})
    known = {str(day): Confirmation("r", "", 0, format_utc(NOW - day * 86_400), False) for day in (30, 1, 1.5)}
    assert find_modified(lister.context, known, ignore_progress) == {"30"}
    assert lister.asked == [format_utc(NOW - 1.5 * 86_400 - 60)]


def test_a_month_is_listed_for_the_sake_of_more_than_a_few():
    lister = Lister({})
    days = (30, 29.9, 29.8, 1)
    known = {str(day): Confirmation("r", "", 0, format_utc(NOW - day * 86_400), False) for day in days}
    assert find_modified(lister.context, known, ignore_progress) == frozenset()
    assert lister.asked == [format_utc(NOW - 30 * 86_400 - 60)]


@pytest.mark.parametrize(("stretches", "requests"), [(1, 1), (3, 3), (4, 2 + 2)])
def test_whether_the_end_of_a_window_counts_is_asked_only_if_there_are_more_than_three(stretches, requests):
    lister = Lister({})
    known = {str(at): Confirmation("r", "", 0, format_utc(NOW - 300 * (at + 1)), True) for at in range(stretches)}
    assert find_modified(lister.context, known, ignore_progress) == frozenset()
    assert lister.pages == [1] * requests


def test_each_window_is_asked_for_if_the_service_heeds_its_end():
    lister = Lister({"9": NOW - 10})
    known = {str(at): Confirmation("r", "", 0, format_utc(NOW - 300 * (at + 1)), True) for at in range(4)}
    assert find_modified(lister.context, known, ignore_progress) == frozenset()
    assert lister.pages == [1] * (2 + 4)


def test_a_list_that_stays_incomplete_is_read_three_times():
    lister = Lister({"9": NOW - 10}, missing=1)
    known = {"9": Confirmation("r", "", 0, format_utc(NOW - 600), False)}
    with pytest.raises(UnreadableListError):
        find_modified(lister.context, known, ignore_progress)
    assert lister.pages == [1, 1, 1]


def test_there_is_no_gap_between_two_windows():
    known = {"0": Confirmation("r", "", 0, format_utc(NOW - 600), True)}
    known["1"] = Confirmation("r", "", 0, format_utc(NOW - 300), True)
    end_of_first = NOW - 300 + SETTLED_SECONDS
    for at in (end_of_first - 0.5, end_of_first, end_of_first + 0.5):
        assert "0" in find_modified(Lister({"0": at}).context, known, ignore_progress), "others modified it"


class Lister:
    """A service's list of modified customers, without a service."""

    def __init__(self, modified_at, is_end_ignored=False, offset=0, missing=0):
        self.modified_at, self.is_end_ignored, self.missing, self.asked = modified_at, is_end_ignored, missing, []
        self.pages, self.offset = [], 0
        client = SimpleNamespace(
            sign_in=lambda: vars(self).update(offset=offset), list_page=self.list_page,
            quota=SimpleNamespace(waiting=None), pipeline=SimpleNamespace(service_time=lambda ours: ours + self.offset),
        )  # fmt: skip
        clock = SimpleNamespace(now=lambda: NOW - offset)
        self.context = SimpleNamespace(client=client, clock=clock, settings=SimpleNamespace(concurrency=2))

    def list_page(self, page, *, modified, fields):
        self.asked.append(modified[0])
        self.pages.append(page)
        since, until = (datetime.fromisoformat(text).timestamp() if text else math.inf for text in modified)
        until = math.inf if self.is_end_ignored else until
        found = [key for key, at in self.modified_at.items() if since <= at <= until]
        return dict.fromkeys(found[(page - 1) * 50 : page * 50]), len(found) + self.missing
