"""What the journal tells of the rows of a run: for results, lists, searches and the decision to continue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.customers.models import CheckedRow, Correction, Problem, Status
from bulkupdate.prometheus_text import Metric, format_metrics
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.row_table import NOT_YET_READ_BACK
from bulkupdate.runs.run_records import RowOutcome, Run, RunState
from tests.conftest import FIRST, write_csv
from tests.postgres import place_of
from tests.runs.in_process import Driver

AT = "2026-01-14T09:38:49Z"


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver("http://127.0.0.1:9/rest/api", tmp_path)


@pytest.fixture
def run(driver: Driver, tmp_path: Path) -> Run:
    """Rows 2 to 6 with something to send, and row 7 without."""
    lines = [[FIRST + at, f"n{at}" if at < 5 else ""] for at in range(6)]
    return driver.begin(write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], *lines]))


@pytest.fixture
def journal(driver: Driver) -> Iterator[Journal]:
    with Journal(place_of(driver.state), driver.clock) as opened:
        yield opened


def outcome(row: int, status: Status, http_status: int | None = 200, message: str = "m") -> RowOutcome:
    return RowOutcome(row, status, http_status, 2, message, AT)


def test_a_row_is_shown_with_all_that_was_recorded(run: Run, journal: Journal) -> None:
    journal.record(run, outcomes=[outcome(3, Status.REJECTED, 404, "no such customer")], calls=7)
    line = next(journal.lines(run, [Status.REJECTED]))
    assert (line.row, line.customer_id, line.status, line.http_status) == (3, str(FIRST + 1), Status.REJECTED, 404)
    assert (line.attempts, line.fields_sent, line.message, line.finished_at) == (2, ("Name",), "no such customer", AT)
    assert line.original == (str(FIRST + 1), "n1")
    assert journal.find_run(run.id).calls == 7
    journal.record(run, outcomes=[outcome(4, Status.UPDATED)])
    assert journal.find_run(run.id).calls == 7, "no request was made since"
    without = next(journal.messages(run, [Status.REJECTED]))
    assert (without.row, without.message, without.fields_sent, without.original) == (3, "no such customer", (), ())
    assert next(journal.lines(run, [Status.UNCHANGED])).fields_sent == ()


def test_a_row_that_is_not_sent_is_recorded_with_its_problem_and_its_marked_cells(run: Run, journal: Journal) -> None:
    problem = Problem(3, str(FIRST + 1), "Name", "n1", "key-conflict", "another", "correct it")
    marked = {3: ("a ", "Ä")}
    journal.record_refusals(run, [outcome(3, Status.INVALID, None, "another")], [problem], marked)
    line = next(journal.lines(run, [Status.INVALID]))
    assert (line.row, line.message, line.original) == (3, "another", marked[3])
    assert list(journal.problems(run)) == [problem]
    assert [line.original for line in journal.lines(run, [Status.UNCHANGED])] == [(str(FIRST + 5), "")]


def test_rows_beyond_the_first_page_are_each_read_once(driver: Driver, tmp_path: Path, journal: Journal) -> None:
    lines = [[FIRST + at, f"n{at}"] for at in range(1200)]
    run = driver.begin(write_csv(tmp_path / "b.csv", [["CustomerId", "Name"], *lines]))
    assert [row.number for row in journal.pending(run)] == [*range(2, 1202)]
    assert [line.row for line in journal.lines(run)] == [*range(2, 1202)]


def test_a_row_about_to_be_sent_is_unknown_until_it_is_answered(run: Run, journal: Journal) -> None:
    pending = list(journal.pending(run))
    assert [row.number for row in pending] == [2, 3, 4, 5, 6]
    assert not any(row.may_be_applied for row in pending)
    before = journal.sequence()
    journal.record(run, intents=pending[:1])
    assert journal.sequence() == before + 1
    line = next(journal.lines(run, [Status.UNKNOWN]))
    assert (line.row, line.http_status, line.message, line.finished_at) == (2, None, "sent, no answer yet", "")
    again = next(journal.pending(run))
    assert (again.number, again.may_be_applied) == (2, True)


def test_rows_answered_401_come_last_and_those_to_be_read_back_are_not_sent(run: Run, journal: Journal) -> None:
    refused = [outcome(2, Status.FAILED, 401), outcome(4, Status.FAILED, 401)]
    journal.record(run, outcomes=[*refused, outcome(3, Status.UNKNOWN, 200, NOT_YET_READ_BACK)])
    assert [row.number for row in journal.pending(run)] == [5, 6, 2, 4]
    assert [row.number for row in journal.pending(run, last=5)] == [5, 2, 4]
    assert (journal.count_pending(run), journal.count_awaiting_read_back(run)) == (4, 1)
    assert [row.number for row in journal.awaiting_read_back(run)] == [3]
    assert not journal.has_only_refused_rows(run)
    journal.record(run, outcomes=[outcome(5, Status.UPDATED), outcome(6, Status.REJECTED, 404)])
    assert journal.has_only_refused_rows(run)
    journal.record(run, outcomes=[outcome(2, Status.UPDATED), outcome(4, Status.UPDATED)])
    assert not journal.has_only_refused_rows(run), "nothing is left to be sent"


def test_lists_of_rows_are_paged_and_limited(run: Run, journal: Journal) -> None:
    statuses = [Status.NOT_ATTEMPTED, Status.UNCHANGED]
    assert [line.row for line in journal.page_lines(run, statuses, 0, 4)] == [2, 3, 4, 5]
    assert [line.row for line in journal.page_lines(run, statuses, 4, 4)] == [6, 7]
    assert [line.row for line in journal.find_first_lines(run, statuses, 9)] == [2, 3, 4, 5, 6], "7 has nothing to send"
    assert [line.row for line in journal.find_first_lines(run, statuses, 2)] == [2, 3]
    assert [line.row for line in journal.find_lines(run, [6, 3])] == [3, 6]
    assert journal.find_cells(run, [3, 9]) == {3: (str(FIRST + 1), "n1")}


def test_rows_are_sent_again_as_they_were_checked(run: Run, journal: Journal) -> None:
    applied = RowOutcome(3, Status.FAILED, 503, 4, "down", AT, may_be_applied=False)
    journal.record(run, outcomes=[outcome(2, Status.UNKNOWN, None), applied, outcome(4, Status.UPDATED)])
    rows = list(journal.checked_rows(run, [Status.UNKNOWN, Status.FAILED, Status.UNCHANGED]))
    assert rows == [
        CheckedRow(2, str(FIRST), Status.NOT_ATTEMPTED, '{"Name": "n0"}', ("Name",), (str(FIRST), "n0"),
                   may_be_applied=True),
        CheckedRow(3, str(FIRST + 1), Status.NOT_ATTEMPTED, '{"Name": "n1"}', ("Name",), (str(FIRST + 1), "n1")),
    ]  # fmt: skip


def test_corrections_are_those_of_the_rows_asked_for(run: Run, journal: Journal) -> None:
    cells = [Correction(2, "Name", "x", "n0"), Correction(3, "Name", "y", "n1"), Correction(7, "Name", "z", "")]
    journal.add_corrections(run.key, reversed(cells))
    assert journal.corrections(run) == cells
    assert journal.corrections(run, [Status.NOT_ATTEMPTED]) == cells[:2]
    assert journal.count_corrections(run) == 3


def test_runs_are_told_by_state_and_where_their_files_are(run: Run, journal: Journal, tmp_path: Path) -> None:
    assert journal.count_states() == {RunState.STOPPED: 1}
    [head] = journal.run_heads()
    assert (head.id, head.file, head.host, head.username) == (run.id, run.file, run.host, "sandbox")
    journal.set_file(run.id, tmp_path / "done.csv")
    journal.set_results_path(run, tmp_path / "r.xlsx")
    moved = journal.find_run(run.id)
    assert (moved.file, moved.results_path) == (str(tmp_path / "done.csv"), str(tmp_path / "r.xlsx"))


def test_the_figures_of_a_folder_are_those_of_its_last_night(journal: Journal) -> None:
    def rows(value: int) -> Metric:
        return Metric("rows", "Rows.", [({"status": "updated"}, value)])

    journal.keep_metrics("a", [rows(1)])
    journal.keep_metrics("a", [rows(2)])
    journal.keep_metrics("b", [rows(3)])
    assert format_metrics(journal.find_metrics("a")) == format_metrics([rows(2)])
    assert len(journal.find_metrics()) == 2
