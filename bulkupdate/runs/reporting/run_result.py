"""How a run ended, what is left to do, and the command that continues."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.customers.models import Status
from bulkupdate.customers.row_reasons import RowReason
from bulkupdate.errors import BulkUpdateError, ExitCode
from bulkupdate.runs.matching.key import list_arguments
from bulkupdate.runs.run_records import TO_FIX, UNCONFIRMED, Run, RunOptions, RunState, StatusCounts
from bulkupdate.text import SuggestedCommand, pluralize

_WORTH_A_RETRY = (Status.FAILED, Status.UNKNOWN)
"""`retry` sends rejected rows too, but these are rejected again unless they are corrected first."""


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    `error` is why it stopped early, None if it did not. `results` is None if none could be written (then
    `results_error` says why), `to_fix` if no row is to be corrected. `reasons` say why rows were not updated.
    """

    run: Run
    tally: StatusCounts
    error: BulkUpdateError | None
    results: Path | None
    to_fix: Path | None
    results_error: BulkUpdateError | None = None
    reasons: tuple[RowReason, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The program's exit code. Results that could not be written are not done: `STOPPED`."""
        if self.error is not None:
            return self.error.exit_code
        if self.results_error is not None:
            return ExitCode.STOPPED
        return ExitCode.DONE if self.tally.is_all_well else ExitCode.INCOMPLETE

    @property
    def show_command(self) -> SuggestedCommand:
        """The command that writes the results again, to another file."""
        return show_command(self.run)

    @property
    def next_command(self) -> SuggestedCommand | None:
        """The command that continues; None if nothing is left to do."""
        if self.results_error is not None and self.run.state is RunState.FINISHED:
            return self.show_command
        return next_command(self.run, self.tally, self.to_fix)


def show_command(run: Run) -> SuggestedCommand:
    """Return the command that writes the results of a run again, in the current folder."""
    return SuggestedCommand("show", run.id, "-o", f"results-{run.id}.xlsx")


def next_command(run: Run, tally: StatusCounts, to_fix: Path | None) -> SuggestedCommand | None:
    """Return the command for what is left of a run; None if nothing is left to do.

    A row that the service refused is not sent again as it is: it is corrected in the to-fix file.
    """
    if run.options.probe:
        return None if run.state is RunState.FINISHED else SuggestedCommand("doctor", "--restore")
    if run.state is not RunState.FINISHED:
        return SuggestedCommand("resume", run.id)
    if _count(tally, _WORTH_A_RETRY):
        return SuggestedCommand("retry", run.id)
    if run.options.undo or not _count(tally, TO_FIX):
        return None
    return _run_command(run, to_fix) if to_fix is not None else show_command(run)


def describe_rest(
    run: Run,
    tally: StatusCounts,
    to_fix: Path | None,
    repeat_options: Callable[[SuggestedCommand], SuggestedCommand | None],
) -> list[str]:
    """Return what is left of a run, in sentences that name the command unless it is the `next_command`.

    `repeat_options` adds the user's own options to a command.
    """
    command, statuses = ("retry", _WORTH_A_RETRY) if run.state is RunState.FINISHED else ("resume", UNCONFIRMED)
    sentences = []
    if waiting := _count(tally, statuses):
        verb = "waits" if waiting == 1 else "wait"
        sentences.append(f"{pluralize(waiting, 'row')} {verb} for `{command}`.")
    to_correct = _count(tally, TO_FIX)
    if to_fix is not None and to_correct and not run.options.undo:
        what = f"Correct {pluralize(to_correct, 'row')} in {to_fix}"
        sentences.append(f"{what}, then: {repeat_options(_run_command(run, to_fix))}" if waiting else f"{what}.")
    return sentences


def _run_command(run: Run, to_fix: Path) -> SuggestedCommand:
    """Return the command that sends corrected rows, with the reading and matching options of the run."""
    return SuggestedCommand("run", to_fix, *list_reading_arguments(run.options))


def list_reading_arguments(options: RunOptions) -> tuple[str | Path, ...]:
    """Return the reading and matching options of a run, to be added to a command."""
    return (*list_arguments(options.key, options.lookup), *shlex.split(options.reading))


def _count(tally: StatusCounts, statuses: tuple[Status, ...]) -> int:
    return sum(tally[status] for status in statuses)
