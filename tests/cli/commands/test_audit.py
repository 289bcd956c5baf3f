"""`audit`: what was done from the command line is in it, without customer data."""

from __future__ import annotations

from tests.conftest import FIRST, write_csv


def test_runs_undos_and_purges_are_in_the_audit(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax"], [FIRST, "0815-4711"]])
    run = run_program("run", sheet, "--yes", "--snapshot").told["run"]
    undone = run_program("undo", run, "--run", "--yes").told["run"]
    assert run_program("purge", "--older-than", "90d").exit_code == 0
    events = [(each["event"], each["user"], each["about"]) for each in reversed(run_program("audit").told)]
    assert events == [
        ("sending", "sandbox", run), ("finished", "sandbox", run),
        ("undo sending", "sandbox", undone), ("undo finished", "sandbox", undone),
        ("purged", "sandbox", "older than 90 days"),
    ]  # fmt: skip
    shown = run_program("audit", "--last", 2, json=False).out
    assert shown.count("\n") == 2
    assert "0815-4711" not in str(run_program("audit").told)
