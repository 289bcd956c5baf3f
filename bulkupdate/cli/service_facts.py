"""`doctor --facts`: find out by reading how the service answers, show it, and write the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.session import open_session
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.clock import format_local_date, format_utc
from bulkupdate.errors import ExitCode
from bulkupdate.files import check_writable
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.runs.tenant.answers import AnswerShape, Questioner
from bulkupdate.runs.tenant.facts import FACTS, Facts
from bulkupdate.runs.tenant.profile import PROBE_COMMAND, Profile
from bulkupdate.runs.tenant.profile_store import find_profile, note_team
from bulkupdate.runs.tenant.reading import MOST_REQUESTS, QUESTIONS, USUAL_REQUESTS, read_facts
from bulkupdate.runs.tenant.report import read_switches, write_report
from bulkupdate.runs.tenant.throttle import describe_throttle


def require_report_place(path: Path | None) -> None:
    """Raise `UsageError` if the report cannot, or must not, be written there; None: none is asked for."""
    if path is not None:
        check_writable(path, (".json",))
        if path.exists():
            read_switches(path)  # a report is overwritten, anything else is not


def show_facts(invocation: Invocation, report: Path | None) -> int:
    """Name the requests, make them, store what they show, and print all that is known. Return the exit code."""
    require_report_place(report)
    console = invocation.console
    with open_session(invocation.settings) as context:
        show_questions(context, console)
        questioner = Questioner(context.client)
        with stop_on_signals(context.stop, console), watch_questions(questioner, USUAL_REQUESTS, console, context):
            facts = read_facts(questioner)
        keep_facts(context, facts)
        return end_with_facts(context, questioner.shapes, report, invocation, ExitCode.DONE)


def show_questions(context: RunContext, console: Console) -> None:
    """Name the requests of `read_facts` before they are made."""
    console.info(f"Reads only, about {USUAL_REQUESTS} requests, {MOST_REQUESTS} at most, at {context.host}:")
    for question in QUESTIONS:
        console.info(f"  {question}")


@contextmanager
def watch_questions(questioner: Questioner, total: int, console: Console, context: RunContext) -> Iterator[None]:
    """Show a progress bar for about `total` requests."""
    with Progress(console, total, context.client.quota, context.clock, unit="requests") as progress:
        questioner.watch = lambda _question: progress.advance(1, None)
        yield


def keep_facts(context: RunContext, facts: Facts) -> None:
    """Keep the facts in the profile of the service, and how it throttled if it did."""
    now = format_utc(context.clock.now())
    if throttle := context.client.pipeline.first_throttle:
        facts = facts | describe_throttle(throttle)
    note_team(context.journal, context.settings, context.host, now)
    context.journal.keep_facts(context.host, facts, now)


def end_with_facts(
    context: RunContext,
    shapes: Sequence[AnswerShape],
    report: Path | None,
    invocation: Invocation,
    exit_code: ExitCode,
    run_id: str | None = None,
) -> ExitCode:
    """Show what is known, write the report if one is asked for, print the object of `--json`; return the exit code."""
    profile = find_profile(context.journal, context.host)
    _show(profile, invocation.console)
    if report is not None:
        write_report(report, profile, shapes, format_utc(context.clock.now()))
        invocation.console.info(f"Report: {report}. It holds no value of a customer, and no login or address.")
    if invocation.as_json:
        known = {name: item.value for name, item in profile.facts.items()}
        told = {"facts": known, "calls": context.client.calls, "report": str(report) if report else None}
        print_json({"schema": JSON_SCHEMA, "run": run_id, **told, "exit_code": int(exit_code)})
    return exit_code


def _show(profile: Profile, console: Console) -> None:
    for fact in FACTS:
        known = profile.facts.get(fact.name)
        if known is None:
            console.info(f"  {fact.question} Not known; settled by: {fact.step}")
        else:
            console.info(f"  {fact.question} {_word(known.value)} ({format_local_date(known.found_at)})")
    for line in profile.describe():
        console.info(line)
    if profile.find("equal_value") is None:
        console.info(f"This service has not been probed; what only updates can show is settled by {PROBE_COMMAND}.")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
