"""`purge`: delete old runs and their data."""

from __future__ import annotations

import re

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.command_objects import PurgeObject
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.runs.retention import delete_runs_before
from bulkupdate.store.audit_log import AuditLog
from bulkupdate.store.file_mirror import delete_shared_before
from bulkupdate.text import pluralize
from bulkupdate.web.uploads.upload_store import FOLDER as UPLOADS
from bulkupdate.web.uploads.upload_store import purge_uploads


@click.command(
    "purge",
    cls=Command,
    examples={
        "--older-than 90d": "Delete what is older than 90 days.",
        "--older-than 365d --json": "From a program: delete what is older than a year.",
    },
)
@common_options
@option("--older-than", required=True, metavar="DAYS", help="The age of the runs to delete, such as 90d.")
def command(invocation: Invocation, older_than: str) -> int:
    """Delete the runs older than DAYS from the journal, with the data they sent.

    Sheets uploaded to the page before then are deleted too, with their results. Results files elsewhere are kept.
    """
    days = re.fullmatch(r"([0-9]{1,5})d?", older_than, re.ASCII)
    if days is None:
        raise UsageError(f"--older-than {older_than!r} is not a number of days.", remedy="Write it like 90d.")
    clock, settings = Clock(), invocation.settings
    before = clock.now() - int(days[1]) * 86_400
    with Journal(settings.store, clock) as journal:
        count = delete_runs_before(journal, settings.state_dir, before)
    uploads = purge_uploads(settings.state_dir, before)
    if settings.database:
        delete_shared_before(settings.database, UPLOADS, before)
    AuditLog(settings.store, clock).record("purged", user=settings.username, about=f"older than {days[1]} days")
    deleted, age = f"{pluralize(count, 'run')} and {pluralize(uploads, 'upload')}", pluralize(int(days[1]), "day")
    invocation.console.info(f"Deleted: {deleted} older than {age}.")
    if invocation.as_json:
        purged: PurgeObject = {
            "schema": JSON_SCHEMA, "purged": count, "uploads": uploads, "exit_code": ExitCode.DONE,
        }  # fmt: skip
        print_json(purged)
    return ExitCode.DONE
