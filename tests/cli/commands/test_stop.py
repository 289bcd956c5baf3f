"""`stop`: any door stops any run."""

from __future__ import annotations

from tests.conftest import find_puts, finish, wait_until, write_sheet

ROWS = 400


def test_another_process_stops_a_run_soon(run_program, make_sandbox, tmp_path):
    slow = make_sandbox(latency_seconds=0.1)
    run_program.environment["BULKUPDATE_BASE_URL"] = slow.base_url
    running = run_program.fork("run", write_sheet(tmp_path / "in.csv", ROWS), "--yes", concurrency=2)
    wait_until(lambda: find_puts(slow))
    stopped = run_program("stop")
    assert (stopped.exit_code, stopped.told["state"]) == (0, "stopped")
    assert "It was stopped by " in stopped.told["stopped_by"]
    assert finish(running).exit_code == 4
    sent = len(find_puts(slow))
    assert sent < ROWS / 2

    assert run_program("resume", concurrency=32).counts == {"updated": ROWS}  # an old request stops no new attempt
    assert len(find_puts(slow)) == ROWS
    refused = run_program("stop")
    assert (refused.exit_code, "No run is being sent" in refused.err) == (2, True)
