"""`retry`: what failed, was rejected or is unknown, as a run linked to its parent."""

from __future__ import annotations

import sqlite3

from bulkupdate.errors import ExitCode
from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.conftest import find_puts, read_results, write_sheet


def test_retry_sends_exactly_what_failed_was_rejected_or_is_unknown_as_a_linked_run(mixed, run_program, tmp_path):
    sandbox, answer = mixed
    sandbox.reset_log()
    sandbox.service.plan = None
    again = run_program("retry", answer.told["run"], "--yes", "-o", tmp_path / "again.csv")
    assert sorted(find_puts(sandbox)) == ["100002", "100003", "999"]
    assert (again.exit_code, again.counts) == (ExitCode.INCOMPLETE, {"updated": 2, "rejected": 1})
    assert [line["Row"] for line in read_results(tmp_path / "again.csv")] == ["3", "4", "5"]
    with sqlite3.connect(run_program.state / JOURNAL_NAME) as journal:
        parents = dict(journal.execute("SELECT id, parent FROM runs").fetchall())
    assert parents == {answer.told["run"]: None, again.told["run"]: answer.told["run"]}
    assert answer.told["run"] in run_program("show", json=False).out, "the link is shown"


def test_with_nothing_to_retry_nothing_is_sent(run_program, sandbox, tmp_path):
    run_program("run", write_sheet(tmp_path / "customers.csv", 2), "--yes")
    before = len(sandbox.requests)
    answer = run_program("retry", "--yes")
    assert (answer.exit_code, len(sandbox.requests)) == (ExitCode.DONE, before)
    assert "nothing to retry" in answer.err
