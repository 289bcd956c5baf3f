"""`doctor --probe` and `--restore`: ask before one customer is changed, tell what was found, and put it back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bulkupdate.cli.commands.undo import restore
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.service_facts import (
    end_with_facts,
    keep_facts,
    require_report_place,
    show_questions,
    watch_questions,
)
from bulkupdate.cli.session import open_session
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.clock import format_utc
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.estimate import estimate_requests
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.runs.tenant.probe import ALIASES, MOST_REQUESTS, SIGN_IN, Probe
from bulkupdate.runs.tenant.probe_run import RESTORE, find_open_probe, require_idle
from bulkupdate.runs.tenant.probed_customer import ProbedCustomer, read_customer
from bulkupdate.runs.tenant.profile_store import note_team
from bulkupdate.runs.tenant.reading import MOST_REQUESTS as MOST_READS
from bulkupdate.runs.tenant.reading import USUAL_REQUESTS, read_facts
from bulkupdate.sellercloud.error_message import sanitize_message


def probe_customer(
    invocation: Invocation, customer_id: str, also: Sequence[str], report: Path | None, *, with_facts: bool
) -> int:
    """Show the customer, have its id typed again, probe it, and tell what was found. Return the exit code.

    `with_facts`: what reading shows is found out first.
    """
    require_report_place(report)
    if not (customer_id.isascii() and customer_id.isdecimal()):
        raise UsageError(f"{customer_id!r} is not the id of a customer.")
    with open_session(invocation.settings) as context:
        require_idle(context.journal, context.host)
        if run := find_open_probe(context.journal, context.host):
            raise UsageError(f"The probe {run.id} was stopped before its end.", remedy=RESTORE)
        _require_room(context, with_facts=with_facts)
        with stop_on_signals(context.stop, invocation.console):
            probe = _read(context, customer_id, also)
        if with_facts:
            show_questions(context, invocation.console)
        _ask(probe, invocation)
        note_team(context.journal, context.settings, context.host, format_utc(context.clock.now()))
        console, questioner = invocation.console, probe.customer.questioner
        with stop_on_signals(context.stop, console):
            if with_facts:
                before = context.client.calls
                with watch_questions(questioner, USUAL_REQUESTS, console, context):
                    keep_facts(context, read_facts(questioner))
                probe.calls_before = context.client.calls - before
            with watch_questions(questioner, MOST_REQUESTS, console, context):
                is_complete = probe.run()
        console.info(f"The customer is as before in all fields. {context.client.calls} requests used.")
        if not is_complete:
            console.warn("Some steps had no clear answer: probe again when the service is back.")
        exit_code = ExitCode.DONE if is_complete else ExitCode.INCOMPLETE
        return end_with_facts(context, questioner.shapes, report, invocation, exit_code, probe.run_id)


def _require_room(context: RunContext, *, with_facts: bool) -> None:
    """Raise `UsageError` if the probe would have to wait for quota while the customer is changed."""
    requests = MOST_REQUESTS + (MOST_READS if with_facts else 0)
    estimate = estimate_requests(context, reads=requests - 1)  # and a sign-in
    if not estimate.fits_now:
        raise UsageError(
            f"The quota has no room for {requests} requests now: {estimate.describe_quota()}.",
            remedy="Probe when there is; `bulkupdate doctor` shows it.",
        )


def _read(context: RunContext, customer_id: str, also: Sequence[str]) -> Probe:
    questioner = Questioner(context.client)
    context.client.sign_in()
    customer = read_customer(questioner, customer_id)
    if customer is None:
        raise UsageError(
            f"Customer {customer_id} cannot be read: {questioner.shapes[-1].status or 'no answer'}.",
            remedy="Check the id, and try again.",
        )
    return Probe(context, ProbedCustomer(questioner, customer_id, customer), also)


def _ask(probe: Probe, invocation: Invocation) -> None:
    """Show what will be done, and have the id typed again. Raises `UsageError` if it is not."""
    console, customer_id = invocation.console, probe.customer.customer_id
    touched = sorted({name for step in probe.steps for name in step.values})
    who = ", ".join(
        filter(
            None, (sanitize_message(str(probe.customer.before.get(name) or "")) for name in ("Name", "BusinessName"))
        )
    )
    console.info(f"Customer {customer_id} at {probe.context.host}: {who or 'without a name'}")
    console.info(f"Changed for a moment, and put back: {', '.join(touched)}. At most {MOST_REQUESTS} requests:")
    names = ", ".join(dict.fromkeys(step.name for step in probe.steps))
    console.info(f"  PUT, read at once and after two seconds, put back and read: {names}")
    console.info(
        "  PUT of an id that does not exist; GET of the build date, the modified customers, and with a bad token"
    )
    if SIGN_IN in probe.also:
        console.info("  sign-in with a made-up name")
    if ALIASES in probe.also:
        console.warn("if this service adds aliases to the stored ones, an added one may stay.")
    click.echo("Type the id again to begin: ", err=True, nl=False)
    if sys.stdin.readline().strip() != customer_id:
        raise UsageError("The id was not typed again: nothing was sent.", remedy="Run the same command again.")


def restore_customer(invocation: Invocation) -> int:
    """Put back the customer of the newest probe that was stopped. Return the exit code."""
    with open_session(invocation.settings) as context:
        require_idle(context.journal, context.host)
        run = find_open_probe(context.journal, context.host)
        if run is None:
            invocation.console.info(f"No probe of {context.host} has left anything to put back.")
            if invocation.as_json:
                print_json({"schema": JSON_SCHEMA, "run": None, "exit_code": int(ExitCode.DONE)})
            return ExitCode.DONE
        return restore(run, context, invocation, None, yes=True)
