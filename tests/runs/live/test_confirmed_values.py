"""`run --since-last`: what the journal last confirmed of a customer costs no call, and its trust has limits."""

from __future__ import annotations

import json
import threading
import time

import pytest

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.confirmation_table import UNMODIFIED
from bulkupdate.runs.live.confirmed_values import find_confirmed
from bulkupdate.runs.run_records import NewRun, RowOutcome, RunOptions, RunState
from tests.conftest import FIRST, find_puts, read_results, write_csv, write_sheet
from tests.postgres import place_of
from tests.runs.live_sheets import LISTED, count_kinds, every_tenth, last_number, write_live_sheet


class SetClock(Clock):
    """A clock whose hands are turned by hand."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        raise AssertionError("nothing waits here")


class Past:
    """A journal, and runs of one customer each that have ended in it."""

    def __init__(self, folder) -> None:
        self.clock = SetClock()
        self.journal = Journal(place_of(folder), self.clock)
        self._count = 0

    def add(
        self, body, status, *, host="h", at=None, http_status=None, state=RunState.FINISHED, seen=None,
        may_be_applied=None,
    ):  # fmt: skip
        """A run at that second which sent `body` to customer 7."""
        self._count += 1
        self.clock.time = 1_800_000_000.0 + (self._count * 60 if at is None else at)
        new = NewRun(f"r{self._count}", "f", "", host, "u", ("CustomerId",), RunOptions(), {}, "out.xlsx", None)
        run = self.journal.add_run(new, [CheckedRow(2, "7", Status.NOT_ATTEMPTED, body, ("x",), ("7",))])
        self.journal.set_state(run, RunState.RUNNING)
        if may_be_applied is None:
            may_be_applied = status in (Status.UPDATED, Status.UNKNOWN, Status.FAILED)
        self.journal.record(run, intents=list(self.journal.pending(run)))
        if state is not RunState.RUNNING:
            outcome = RowOutcome(2, status, http_status, 1, "", self.stamp, may_be_applied)
            self.journal.record(run, outcomes=[outcome])
        if seen:
            self.journal.record_observed(run, [(2, "7", seen, self.journal.sequence())], self.stamp)
        self.journal.set_state(run, state)
        return run

    @property
    def stamp(self):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock.time))

    def trusts(self, body, not_before="", host="h"):
        return find_confirmed(self.journal, host, {"7": body}, not_before).get("7")


@pytest.fixture
def past(tmp_path):
    made = Past(tmp_path)
    yield made
    made.journal.close()


OLD, NEW = '{"Name": "Old"}', '{"Name": "New"}'
FAX = '{"Fax": "1"}'


def test_the_last_confirmed_values_are_trusted_and_no_others(past):
    past.add(OLD, Status.UPDATED)
    past.add(NEW, Status.UPDATED)
    assert past.trusts(NEW).run_id == "r2"
    assert past.trusts(OLD) is None
    assert past.trusts('{"Name": "New", "Fax": "1"}') is None


def test_runs_are_merged_field_by_field_and_the_oldest_confirmation_counts(past):
    past.add(OLD, Status.UPDATED)
    past.add('{"AccountManager1Commission": 2.5, "Fax": "9"}', Status.UPDATED)
    past.add(FAX, Status.UPDATED)
    trust = past.trusts('{"Name": "Old", "AccountManager1Commission": 2.50, "Fax": "1"}')
    assert trust.run_id == "r1"
    assert past.trusts('{"Name": "Old", "Fax": "9"}') is None


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.FAILED])
def test_a_later_send_of_unknown_effect_breaks_the_trust_in_the_fields_it_touched(past, status):
    past.add('{"Name": "Old", "Fax": "1"}', Status.UPDATED)
    past.add(NEW, status)
    assert past.trusts(OLD) is None
    assert past.trusts(FAX) is not None
    past.add(OLD, Status.UPDATED)
    assert past.trusts(OLD).run_id == "r3"


def test_the_same_payload_sent_again_without_an_answer_is_not_trusted_either(past):
    past.add(OLD, Status.UPDATED)
    past.add(OLD, Status.UNKNOWN)
    assert past.trusts(OLD) is None


def test_what_may_still_be_in_flight_breaks_the_trust_though_it_began_earlier(past):
    past.add(NEW, Status.UNKNOWN, state=RunState.RUNNING)
    past.add(OLD, Status.UPDATED)
    assert past.trusts(OLD) is None


@pytest.mark.parametrize("status", [Status.REJECTED, Status.INVALID, Status.NOT_ATTEMPTED, Status.UNCHANGED])
def test_what_was_not_applied_neither_confirms_nor_breaks(past, status):
    past.add(OLD, Status.UPDATED)
    past.add(NEW, status)
    assert past.trusts(OLD).run_id == "r1"
    assert past.trusts(NEW) is None


def test_a_refusal_after_a_try_that_may_have_been_applied_breaks_the_trust(past):
    past.add(OLD, Status.UPDATED)
    past.add(NEW, Status.REJECTED, may_be_applied=True)
    assert past.trusts(OLD) is None


def test_the_order_of_runs_does_not_rest_on_the_clock(past):
    """The first run's clock was an hour ahead."""
    past.add(OLD, Status.UPDATED, at=3600)
    past.add(NEW, Status.UPDATED, at=60)
    assert past.trusts(OLD) is None
    assert past.trusts(NEW).run_id == "r2"


def test_a_run_resumed_after_a_later_one_counts_as_last(past):
    first = past.add(OLD, Status.UNKNOWN, state=RunState.STOPPED)
    past.add(NEW, Status.UPDATED)
    past.journal.record(first, intents=list(past.journal.pending(first)))
    past.journal.record(first, outcomes=[RowOutcome(2, Status.UPDATED, 200, 2, "", past.stamp)])
    assert past.trusts(NEW) is None
    assert past.trusts(OLD).run_id == "r1"


def test_two_sends_under_way_at_once_are_not_put_in_an_order(past):
    first = past.add(OLD, Status.UNKNOWN, state=RunState.RUNNING)
    past.add(NEW, Status.UPDATED)
    past.journal.record(first, outcomes=[RowOutcome(2, Status.UPDATED, 200, 1, "", past.stamp)])
    assert past.trusts(OLD) is None
    assert past.trusts(NEW) is None


@pytest.mark.parametrize(("later", "is_renewed"), [(600, True), (601, False)])
def test_an_update_soon_after_its_run_has_read_the_customer_renews_what_is_known(past, later, is_renewed):
    """Not one that came later: others may have modified it in between."""
    run = past.add(NEW, Status.UPDATED, seen=FAX)
    stamp = format_utc(past.clock.time + later)
    past.journal.execute("UPDATE rows SET finished_at = ?", stamp)
    trust = past.trusts('{"Name": "New", "Fax": "1"}')
    assert trust.run_id == run.id
    assert (trust.known_at, trust.is_sent) == ((stamp, True) if is_renewed else (past.stamp, False))


def test_another_host_is_another_customer(past):
    past.add(OLD, Status.UPDATED, host="other")
    assert past.trusts(OLD) is None
    assert past.trusts(OLD, host="other") is not None


def test_trust_ends_with_its_age(past):
    past.add(OLD, Status.UPDATED)
    stamp = past.stamp
    past.add(FAX, Status.UPDATED, at=86_400)
    assert past.trusts(OLD, not_before=stamp) is not None
    assert past.trusts(OLD, not_before=past.stamp) is None
    assert past.trusts('{"Name": "Old", "Fax": "1"}', not_before=past.stamp) is None


def test_what_was_found_live_is_confirmed_too(past):
    past.add(NEW, Status.UPDATED, seen=FAX)
    assert past.trusts('{"Name": "New", "Fax": "1"}').run_id == "r1"


def test_many_rows_are_looked_up_in_seconds(tmp_path):
    """One query a few thousand rows, not one a row."""
    with Journal(place_of(tmp_path), Clock()) as journal:
        bodies = {str(at): f'{{"Name": "N{at}"}}' for at in range(1, 10_001)}
        new = NewRun("r1", "f", "", "h", "u", ("CustomerId",), RunOptions(), {}, "out.xlsx", None)
        rows = (
            CheckedRow(at, str(at), Status.NOT_ATTEMPTED, body, ("Name",), ())
            for at, body in enumerate(bodies.values(), 1)
        )
        run = journal.add_run(new, rows)
        journal.record(run, intents=list(journal.pending(run)))
        journal.record(
            run,
            outcomes=[RowOutcome(at, Status.UPDATED, 200, 1, "", "2026-01-01T00:00:00Z") for at in range(1, 10_001)],
        )
        started = time.process_time()
        ids = list(bodies)
        trusted = {}
        for start in range(0, len(ids), 5000):
            trusted |= find_confirmed(journal, "h", {each: bodies[each] for each in ids[start : start + 5000]}, "")
        assert len(trusted) == 10_000
        assert time.process_time() - started < 1


@pytest.mark.long
def test_the_nightly_list_sends_what_changed_since_and_says_whom_it_trusted(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "night.csv", 50)
    first = run_program("run", sheet, "--yes")
    assert first.counts == {"updated": 50}
    before = last_number(sandbox)
    sheet.write_text(sheet.read_text().replace("row-7@", "new-7@"))
    done = run_program("run", sheet, "--since-last", "--yes", "-o", "out.csv")
    assert (done.exit_code, done.counts) == (0, {"unchanged": 49, "updated": 1})
    assert count_kinds(sandbox, after=before) == {"token": 1, "write": 1}
    assert find_puts(sandbox, after=before) == [str(FIRST + 7)]
    results = read_results(tmp_path / "out.csv")
    assert results[0]["Message"].startswith(
        f"the service was not asked: the journal says that run {first.told['run']} confirmed these values at 20"
    )
    assert results[7]["FieldsSent"] == "Name, Email, Comments"  # the whole payload: the rest would be a guess
    assert sandbox.customer(FIRST + 7)["Email"] == "new-7@example.com"


def test_without_the_option_nothing_is_trusted(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "in.csv", 5)
    run_program("run", sheet, "--yes")
    assert run_program("run", sheet, "--yes").counts == {"updated": 5}


def test_an_aged_confirmation_is_sent_again(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "in.csv", 5)
    run_program("run", sheet, "--yes")
    with Journal(place_of(run_program.state), Clock()) as journal:
        journal.execute("UPDATE rows SET finished_at = ?", format_utc(time.time() - 2.5 * 86_400))
    assert run_program("run", sheet, "--yes", "--since-last", "--max-age", "3").counts == {"unchanged": 5}
    assert run_program("run", sheet, "--yes", "--since-last", "--max-age", "2").counts == {"updated": 5}


@pytest.mark.long
def test_a_row_in_flight_at_a_kill_is_sent_again(run_program, sandbox, tmp_path):
    """Its intent stands as unknown: nobody knows whether it was applied."""
    sheet = write_sheet(tmp_path / "in.csv", 5)
    first = run_program("run", sheet, "--yes").told["run"]
    with Journal(place_of(run_program.state), Clock()) as journal:
        run = journal.find_run(first)
        row = next(journal._page_rows(run, "customer_id = '100003'"))
        journal.record(run, intents=[row])
    done = run_program("run", sheet, "--since-last", "--yes")
    assert done.counts == {"unchanged": 4, "updated": 1}


@pytest.mark.long
def test_reading_and_trusting_together_read_only_what_is_not_trusted(run_program, sandbox, tmp_path):
    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(100), every_tenth)
    run_program("run", sheet, "--only-changes", "--yes")
    before = last_number(sandbox)
    lines = write_live_sheet(tmp_path / "in.csv", sandbox, LISTED, range(150))
    done = run_program("run", lines, "--only-changes", "--since-last", "--yes")
    assert done.counts == {"unchanged": 150}
    assert count_kinds(sandbox, after=before) == {"list": 1, "token": 1}


@pytest.mark.long
def test_one_percent_of_20_000_customers_costs_200_puts_and_by_reading_400_lists(run_program, make_sandbox, tmp_path):
    """The must-show at its size: 20,000 customers, of whom 1 % differ; first by reading, then by the journal."""
    sandbox = make_sandbox(customers=20_000)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    names = ("Name", "Email")

    def one_percent(at, name, cell):
        return f"New {at}" if name == "Name" and at % 100 == 0 else cell

    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, names, range(20_000), one_percent)
    done = run_program("run", sheet, "--only-changes", "--yes", requests_per_hour=0)
    assert done.counts == {"unchanged": 19_800, "updated": 200}
    assert count_kinds(sandbox) == {"list": 400, "token": 1, "write": 200}
    before = last_number(sandbox)

    def another_percent(at, name, cell):
        return f"Newer {at}" if name == "Name" and at % 100 == 50 else cell

    sheet = write_live_sheet(tmp_path / "in.csv", sandbox, names, range(20_000), another_percent)
    done = run_program("run", sheet, "--since-last", "--yes", requests_per_hour=0)
    assert done.counts == {"unchanged": 19_800, "updated": 200}
    assert count_kinds(sandbox, after=before) == {"token": 1, "write": 200}


@pytest.mark.long
def test_undone_values_are_what_is_trusted(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], [FIRST, "Changed"]])
    run = run_program("run", sheet, "--snapshot", "--yes").told["run"]
    assert run_program("undo", run, "--run", "--yes").counts == {"updated": 1}
    assert run_program("run", sheet, "--since-last", "--yes").counts == {"updated": 1}


@pytest.mark.long
def test_the_nightly_folder_trusts_the_journal_too(run_program, sandbox, tmp_path):
    inbox = tmp_path / "night" / "inbox"
    inbox.mkdir(parents=True)
    for counts in ({"updated": 20}, {"unchanged": 20}):
        write_sheet(inbox / "list.csv", 20)
        done = run_program("nightly", tmp_path / "night", "--since-last", "--settle", "0")
        told = json.loads(done.out.splitlines()[0])  # a file a line, then the night
        assert (done.exit_code, told["counts"]) == (0, counts)


def test_what_one_service_was_asked_says_nothing_about_a_customer_of_another_with_the_same_id(past):
    for host in ("h", "other"):
        run = past.add(OLD, Status.UPDATED, host=host)
        asked = past.trusts(OLD, host=host)
        past.journal.record_observed(run, [(2, "7", UNMODIFIED, asked.begun)], "2030-01-01T00:00:00Z")
    past.journal.record_observed(run, [(2, "7", UNMODIFIED, 0)], "2030-01-02T00:00:00Z")
    assert past.trusts(OLD).known_at == "2030-01-01T00:00:00Z"


def test_what_the_service_was_asked_about_one_sheet_holds_for_it_and_for_what_was_confirmed_later(past):
    runs = [past.add(OLD, Status.UPDATED), past.add(FAX, Status.UPDATED), past.add('{"Mobile": "1"}', Status.UPDATED)]
    sent = [past.trusts(body) for body in (OLD, FAX)]
    assert [each.is_sent for each in sent] == [True, True]

    def ask(run, body, time):
        asked = past.trusts(body)
        past.journal.record_observed(run, [(2, "7", UNMODIFIED, asked.begun)], time)
        return [past.trusts(each).known_at for each in (OLD, FAX)]

    assert ask(runs[1], FAX, "2030-01-01T00:00:00Z") == [sent[0].known_at, "2030-01-01T00:00:00Z"]
    assert ask(runs[0], OLD, "2030-01-02T00:00:00Z") == ["2030-01-02T00:00:00Z"] * 2
    assert ask(runs[2], FAX, "2030-01-03T00:00:00Z") == ["2030-01-02T00:00:00Z", "2030-01-03T00:00:00Z"]
    assert past.journal.select("SELECT count(*) FROM seen") == [(2,)]
    assert past.trusts(OLD).at == sent[0].at, "their age is still that of the confirmation"
    past.add(FAX, Status.UPDATED, at=10**9)
    assert past.trusts(FAX).is_sent
