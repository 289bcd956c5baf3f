"""`doctor`: whether everything is in order for a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.console import Console, paint, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.cli.probing import probe_customer, restore_customer
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.service_facts import show_facts
from bulkupdate.cli.sheet_source import SheetSource, SourceElsewhere
from bulkupdate.clock import Clock, format_utc
from bulkupdate.errors import BulkUpdateError, ExitCode, UsageError
from bulkupdate.nightly.preflight import Preflight
from bulkupdate.nightly.remote_folder import parse_folder
from bulkupdate.redaction import Secret
from bulkupdate.remote.address import Address
from bulkupdate.runs.estimate import describe_capacity
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.runs.sending.sign_in_wait import sign_in
from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.runs.tenant.probe import ON_REQUEST
from bulkupdate.runs.tenant.profile import REBUILT
from bulkupdate.runs.tenant.profile_store import find_profile
from bulkupdate.runs.tenant.reading import ask_build_date
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings
from bulkupdate.store.place import explained_if_missing
from bulkupdate.text import pluralize

_FACTS = "How the service behaves"


@dataclass(frozen=True)
class _Finding:
    """What one check found; `error` is None if all is well."""

    name: str
    message: str
    error: BulkUpdateError | None = None


@click.command(
    "doctor",
    cls=Command,
    examples={
        "": "Check the journal, and sign in once.",
        "--facts": "Find out how this service answers, with about eleven reads.",
        "--probe 100001 --report facts.json": "Settle on customer 100001 what reading cannot show; write it down.",
        "--nightly /srv/bulkupdate --send-test": "Also check the folder, and send a test mail and notification.",
    },
)
@common_options
@option(
    "--nightly",
    "folder",
    type=SheetSource(),
    metavar="FOLDER",
    help="Also check this nightly folder or address, and mail, webhook and heartbeat.",
)
@option(
    "--send-test", is_flag=True, help="With --nightly: send a test mail and notification, and request the heartbeat."
)
@option("--facts", is_flag=True, group=_FACTS, help="Find out how the service answers: reads only.")
@option(
    "--probe",
    metavar="CUSTOMER_ID",
    group=_FACTS,
    help="Find out on one customer, which is then put back, what reading cannot show; 40 requests at most.",
)
@option(
    "--also",
    multiple=True,
    type=click.Choice(ON_REQUEST),
    group=_FACTS,
    help="With --probe: try a made-up login; change the aliases, of which added ones may stay. May be repeated.",
)
@option("--restore", is_flag=True, group=_FACTS, help="Put back the customer of a probe that was stopped.")
@option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FACTS.json",
    group=_FACTS,
    help="Write what is known to this file, without any value of a customer.",
)
def command(
    invocation: Invocation,
    folder: Path | SourceElsewhere | None,
    send_test: bool,
    facts: bool,
    probe: str | None,
    also: tuple[str, ...],
    restore: bool,
    report: Path | None,
) -> int:
    """Check whether everything is in order for a run; costs one sign-in, and one read of a service that was probed."""
    if restore:
        if facts or probe is not None or report is not None:
            raise UsageError("--restore goes alone.", remedy="Restore the customer first.")
        return restore_customer(invocation)
    if probe is not None:
        return probe_customer(invocation, probe, also, report, with_facts=facts)
    if also:
        raise UsageError("--also needs --probe CUSTOMER_ID.", remedy="Add the customer to probe.")
    if facts:
        return show_facts(invocation, report)
    if report is not None:
        raise UsageError("--report needs --facts or --probe CUSTOMER_ID.", remedy="Add one of them.")
    if send_test and folder is None:
        raise UsageError("--send-test needs --nightly FOLDER.", remedy="Add the nightly folder.")
    if isinstance(folder, SourceElsewhere):
        return examine(invocation, parse_folder(folder.typed.reveal()), send_test=send_test)
    return examine(invocation, folder, send_test=send_test)


def examine(invocation: Invocation, folder: Path | Address | None = None, *, send_test: bool = False) -> int:
    """Check journal and service, with `folder` also the nightly folder; show the findings, and return the exit code."""
    console, settings = invocation.console, invocation.settings
    checks = {"journal": lambda: _check_journal(settings), "service": lambda: _check_service(settings, console)}
    if settings.database:
        checks = {"database": lambda: _check_database(settings.database), **checks}
    if folder is not None:
        checks |= Preflight(folder, settings, send_test, Clock()).checks
    findings = [_check(name, check) for name, check in checks.items()]
    for finding in findings:
        verdict = click.style("FAIL", fg="red") if finding.error else f"{paint('ok', is_well=True)}  "
        console.info(f"{verdict}  {finding.name}: {finding.message}")
        if finding.error and finding.error.remedy:
            console.info(f"      {finding.error.remedy}")
    exit_code = next((finding.error.exit_code for finding in findings if finding.error), ExitCode.DONE)
    if invocation.as_json:
        found = {finding.name: {"ok": finding.error is None, "message": finding.message} for finding in findings}
        print_json({"schema": JSON_SCHEMA, **found, "exit_code": exit_code})
    return exit_code


def _check(name: str, check: Callable[[], str]) -> _Finding:
    try:
        return _Finding(name, check())
    except BulkUpdateError as error:
        return _Finding(name, str(error), error)


def _check_journal(settings: Settings) -> str:
    with Journal(settings.store, Clock()) as journal:
        return f"{journal.home.name} is sound and writable; {pluralize(sum(journal.count_states().values()), 'run')}"


def _check_database(url: Secret) -> str:
    with explained_if_missing():
        from bulkupdate.store.postgres_health import check_database  # psycopg is an optional extra
    return check_database(url)


def _check_service(settings: Settings, console: Console) -> str:
    clock, stop = Clock(), threading.Event()
    client = open_client(settings, clock, stop)
    try:
        with Progress(console, 0, client.quota, clock) as progress:
            sign_in(client, stop, lambda waiting: progress.advance(0, waiting))
        outdated = _compare_build(settings, client, clock)
        capacity = client.quota.capacity()
    finally:
        client.close()
    quota = describe_capacity(capacity, settings.requests_per_hour, clock.now())
    return f"signed in at {client.base_url} as {settings.username}; quota: {quota}{outdated}"


def _compare_build(settings: Settings, client: Client, clock: Clock) -> str:
    """Return whether a probed service was rebuilt since, with one request; empty if it was not, or never probed."""
    with Journal(settings.store, clock, checks_pages=False) as journal:
        host = urlsplit(client.base_url).netloc
        if not find_profile(journal, host).is_probed:
            return ""
        journal.keep_facts(host, ask_build_date(Questioner(client)), format_utc(clock.now()))
        return f". {REBUILT}" if find_profile(journal, host).is_outdated else ""
