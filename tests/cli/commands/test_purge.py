"""`purge`."""

from __future__ import annotations

import sqlite3

from bulkupdate.errors import ExitCode
from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.conftest import write_sheet


def test_purge_forgets_old_runs_and_their_payloads_but_no_new_ones(run_program, sandbox, tmp_path):
    run_program("run", write_sheet(tmp_path / "customers.csv", 2, word="forgettable"), "--yes")
    assert run_program("purge", "--older-than", "90d").told["purged"] == 0
    with sqlite3.connect(run_program.state / JOURNAL_NAME) as journal:
        journal.execute("UPDATE runs SET started = '2020-01-01T00:00:00Z'")
    assert run_program("purge", "--older-than", "90d").told["purged"] == 1
    kept = b"".join(path.read_bytes() for path in run_program.state.glob(f"{JOURNAL_NAME}*"))
    assert b"forgettable" not in kept
    assert run_program("purge", "--older-than", "soon").exit_code == ExitCode.USAGE
