"""The command for what is left of a run, and what it says is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.runs.reporting.run_result import describe_rest, next_command
from bulkupdate.runs.run_records import Run, RunOptions, RunState, StatusCounts
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import write_sheet
from tests.runs.in_process import Driver

DONE = {Status.UPDATED: 3, Status.UNCHANGED: 1}
TO_CORRECT = {Status.UPDATED: 1, Status.REJECTED: 1, Status.INVALID: 1}


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    begun = Driver(sandbox.base_url, tmp_path).begin(write_sheet(tmp_path / "a.csv", 1))
    return replace(begun, state=RunState.FINISHED)


@pytest.mark.parametrize(
    ("state", "options", "counts", "expected"),
    [
        (RunState.FINISHED, {}, DONE, None),
        (RunState.STOPPED, {}, DONE, "resume RUN"),
        (RunState.STOPPED, {}, {Status.FAILED: 1}, "resume RUN"),
        (RunState.FINISHED, {}, {Status.UPDATED: 1, Status.FAILED: 1}, "retry RUN"),
        (RunState.FINISHED, {}, {Status.UNKNOWN: 1, Status.REJECTED: 1}, "retry RUN"),
        (RunState.FINISHED, {}, TO_CORRECT, "run to-fix.xlsx"),
        (RunState.FINISHED, {"undo": "another run"}, TO_CORRECT, None),
        (RunState.FINISHED, {"probe": True}, DONE, None),
        (RunState.STOPPED, {"probe": True}, DONE, "doctor --restore"),
    ],
)
def test_the_next_command_is_that_for_what_is_left(run: Run, state, options, counts, expected) -> None:
    run = replace(run, state=state, options=RunOptions(**options))
    command = next_command(run, StatusCounts(counts), Path("to-fix.xlsx"))
    told = " ".join(str(each) for each in command.arguments).replace(run.id, "RUN") if command else None
    assert told == expected


def test_without_a_to_fix_file_the_results_are_written_again(run: Run) -> None:
    command = next_command(run, StatusCounts(TO_CORRECT), None)
    assert command is not None
    assert command.arguments == ("show", run.id, "-o", f"results-{run.id}.xlsx")


def test_what_is_left_is_told_beside_the_next_command(run: Run) -> None:
    def tell(state: RunState, **counts: int) -> str:
        tally = StatusCounts({Status(name.replace("_", " ")): count for name, count in counts.items()})
        return " ".join(describe_rest(replace(run, state=state), tally, Path("to-fix.xlsx"), lambda command: command))

    assert tell(RunState.FINISHED, updated=1) == ""
    assert "1 row waits for `retry`." in tell(RunState.FINISHED, failed=1, updated=1)
    assert "3 rows wait for `retry`." in tell(RunState.FINISHED, failed=2, unknown=1)
    assert "`resume`" in tell(RunState.STOPPED, failed=2)
    assert "to-fix.xlsx" in tell(RunState.FINISHED, rejected=1, invalid=1, failed=1)
