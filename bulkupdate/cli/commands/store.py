"""`store`: move journal, quota, audit and recipes between the state folder and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.redaction import Secret
from bulkupdate.runs.loading.recipe_folder import fetch_recipes
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.store.migration import copy_store
from bulkupdate.text import pluralize

_FILES = "files"


@click.command(
    "store",
    cls=Command,
    examples={
        "migrate --to postgresql://db.example.com/bulkupdate": "Copy the state folder's journal into a database.",
        "migrate --to files": "Copy the journal of BULKUPDATE_DATABASE back into the state folder.",
    },
)
@common_options
@click.argument("action", type=click.Choice(["migrate"]))
@option(
    "--to",
    "target",
    required=True,
    metavar="ADDRESS",
    help="The address of an empty database, or `files`. Its password is better kept in ~/.pgpass.",
)
def command(invocation: Invocation, action: str, target: str) -> int:  # noqa: ARG001 - so far there is only one action
    """Copy journal, quota, audit and recipes: from the state folder into PostgreSQL, or back.

    What is copied stays where it was, as a backup. All hosts then have to use the new home.
    """
    console, settings = invocation.console, invocation.settings
    is_back = target == _FILES
    if not is_back and not target.startswith(("postgresql://", "postgres://")):
        raise UsageError(
            f"{target} is not the address of a database.", remedy="Write postgresql://HOST/DATABASE, or files."
        )
    if is_back and not settings.database:
        raise UsageError("The journal is in files already.", remedy="Set BULKUPDATE_DATABASE to what is to be copied.")
    database = settings.database if is_back else Secret(target)
    copied = copy_store(database if is_back else settings.state_dir, settings.state_dir if is_back else database)
    fetch_recipes(replace(settings, database=database))
    console.info(f"Copied: {pluralize(copied['runs'], 'run')} with {pluralize(copied['rows'], 'row')}, and the rest.")
    console.info(
        "Now unset BULKUPDATE_DATABASE on this host; the others have no part in this journal any more."
        if is_back
        else "Now set BULKUPDATE_DATABASE on every host; `bulkupdate doctor` tries it."
    )
    if invocation.as_json:
        print_json({"schema": JSON_SCHEMA, "copied": copied})
    return ExitCode.DONE
