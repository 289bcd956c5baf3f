"""What a dry run shows and writes, for `check` and for `run --dry-run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import list_given
from bulkupdate.customers.models import CheckedRow, Problem, Severity
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.errors import ExitCode
from bulkupdate.runs.approved_plan import make_plan, require_plan_place, write_plan
from bulkupdate.runs.guards import check_limits
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.reporting.check_summary import WrittenReports, report_check
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.text import SuggestedCommand, pluralize

_CHANGES_SHOWN = 10
_GROUPS_SHOWN = 20
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@dataclass(frozen=True)
class Reports:
    """The reports that a dry run writes; None: this one is not written."""

    workbook: Path | None = None
    page: Path | None = None
    plan: Path | None = None

    def require_places(self, source: Path, *, force: bool) -> None:
        """Raise `UsageError` if a report cannot be written there, or would overwrite another file without `force`."""
        if self.plan:
            require_plan_place(self.plan, force=force)
        if self.workbook or self.page:
            from bulkupdate.runs.reporting.check_reports import require_report_places  # loads openpyxl: see `write`

            require_report_places(source, self.workbook, self.page, force=force)

    def write(
        self,
        checked_input: CheckedInput,
        invocation: Invocation,
        live: LiveFindings | None,
        planned: Callable[[], Iterable[CheckedRow]] | None,
    ) -> WrittenReports:
        """Write them, and show where they are."""
        if not (self.workbook or self.page):
            return WrittenReports()
        # openpyxl takes as long to load as a small check takes in all, so only a report loads it
        from bulkupdate.runs.reporting.check_reports import write_check

        console = invocation.console
        written = write_check(checked_input, invocation.settings, self.workbook, self.page, live, planned)
        for path in written.paths:
            console.info(f"Report: {path}")
        for note in written.notes:
            console.info(f"  note  {note}")
        return written


def show_input(checked_input: CheckedInput, console: Console) -> None:
    """Show what was read, what is wrong, and what would be sent."""
    checked = checked_input.checked
    sheet = f", sheet {checked_input.sheet_name}" if checked_input.sheet_name else ""
    console.info(f"{checked_input.path}{sheet}: {pluralize(len(checked), 'row')}")
    for note in checked_input.notes:
        console.info(f"  note  {note}")
    if checked_input.matched is not None:
        console.info(checked_input.matched.describe_counts())
    show_problems(checked.problems, console)
    nothing = len(checked) - checked_input.to_send - checked_input.invalid
    console.info(
        f"{pluralize(checked_input.to_send, 'row')} to send, {checked_input.invalid:,} invalid, {nothing:,} with "
        "nothing to send."
    )


def show_problems(problems: Sequence[Problem], console: Console) -> None:
    """Show problems grouped, so that 312 alike take one line."""
    groups = group_problems(problems)
    for group in groups[:_GROUPS_SHOWN]:
        place = f"{group.column}: " if group.column else ""
        severity = click.style(group.severity.value, fg=_COLOURS[group.severity])
        console.info(f"  {severity}  {place}{group.title} ({group.where})")
        console.info(f"         {group.remedy}")
    if len(groups) > _GROUPS_SHOWN:
        console.info(f"  … and {len(groups) - _GROUPS_SHOWN} more kinds of problems")


def show_changes(live: LiveFindings, console: Console) -> None:
    """Show how the live customers differ: the first changes, the unknown customers, the cost."""
    for change in (live.changes or ())[:_CHANGES_SHOWN]:
        before, after = (f"“{text}”" if text else "nothing" for text in (change.before, change.after))
        console.info(f"  row {change.row}, customer {change.customer_id}: {change.field} {before} → {after}")
    left = len(live.changes or ()) - _CHANGES_SHOWN
    if left > 0:
        console.info(f"  … and {pluralize(left, 'more field')}")
    if live.changes is not None:
        rows = len({change.row for change in live.changes})
        console.info(
            f"Rows that differ: {rows:,}, in {pluralize(len(live.changes), 'field')}. Rows already as in the file: "
            f"{live.same:,}."
        )
    console.info(f"Customers unknown to the service: {len(live.unknown):,}. Requests used: {live.calls:,}.")


def finish_dry_run(
    checked_input: CheckedInput,
    invocation: Invocation,
    reports: Reports,
    live: LiveFindings | None = None,
    planned: Callable[[], Iterable[CheckedRow]] | None = None,
    options: RunOptions | None = None,
) -> int:
    """Show what a dry run found, write its reports, and return the exit code.

    `live` is the comparison with the live customers, None: they were not read. `planned` are the rows that would be
    sent, None: all rows of the file that have changes. `options` are those of the run, None: the defaults.
    """
    console = invocation.console
    show_input(checked_input, console)
    if live is not None:
        show_problems(live.problems, console)
        show_changes(live, console)
    written = reports.write(checked_input, invocation, live, planned)
    if reports.plan:
        write_plan(make_plan(checked_input, options or RunOptions(), invocation.settings), reports.plan)
        console.info(f"Plan, to be approved: {reports.plan}")
    exit_code = ExitCode.INCOMPLETE if checked_input.invalid or (live and live.problems) else ExitCode.DONE
    if exit_code is ExitCode.INCOMPLETE:
        report = list_given("output", "html") or ("-o", "REPORT.xlsx")
        command = suggest_for("check", checked_input, invocation, *list_given("live", "live_ids"), *report)
        console.info(f"Fix the rows and check again: {command}")
    elif excess := check_limits((planned or checked_input.rows)(), invocation.settings):
        exit_code = ExitCode.FILE_REFUSED
        command = excess.allow(suggest_for("run", checked_input, invocation, *invocation.run_arguments))
        console.info(f"{excess.message} `run` refuses it. If it is right, allow it once: {command}")
    else:
        command = suggest_for("run", checked_input, invocation, *invocation.run_arguments)
        console.info(f"Nothing was sent. To send: {command}")
    if invocation.as_json:
        print_json(report_check(checked_input, exit_code, written, command, live).to_json())
    return exit_code


def suggest_for(
    command: str, checked_input: CheckedInput, invocation: Invocation, *arguments: str | Path
) -> SuggestedCommand:
    """Return a command about the same file, read in the same way."""
    return invocation.suggest(
        command, checked_input.path, *checked_input.key_arguments, *invocation.sheet_arguments, *arguments
    )
