"""The options that many commands share, and the settings they make."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.failing import Invocation
from bulkupdate.errors import UsageError
from bulkupdate.settings import SECRETS, SETTINGS, Settings, load_settings

if TYPE_CHECKING:
    from bulkupdate.runs.input_file import SheetOptions
    from bulkupdate.runs.runner import RunOptions

RUN_ARGUMENT = click.argument("run_id", metavar="[RUN]", required=False)
FILE_ARGUMENT = click.argument("file", type=click.Path(path_type=Path))


class Number(click.FloatRange):
    """A number within bounds; `nan`, which is neither below nor above anything, is refused too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises `click.BadParameter` if it is none or out of bounds."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


def common_options(command: Any) -> Any:
    """`--json`, `--quiet`, `--config`, and every setting as an option (not in the help: the README lists them)."""
    command = _note_call(command)
    for setting in reversed(SETTINGS):
        if setting.name not in SECRETS:
            option = f"--{setting.name.replace('_', '-')}"
            command = click.option(option, setting.name, hidden=True, help=setting.metadata["help"])(command)
    for add in (
        click.option("--config", type=click.Path(path_type=Path), help="The settings file to read."),
        click.option("--quiet", is_flag=True, help="Print nothing but errors."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, for programs."),
    ):
        command = add(command)
    return command


def _note_call(command: Callable[..., int]) -> Callable[..., int]:
    """Return what the call is about, for the case that it fails: then `--json` still gets its one object."""

    @wraps(command)
    def noted(**given: Any) -> int:
        if call := click.get_current_context().find_object(Invocation):
            call.as_json, call.file, call.run_id = given["as_json"], given.get("file"), given.get("run_id")
        return command(**given)

    return noted


def sheet_options(command: Any) -> Any:
    """How a file is to be read: `--sheet`, `--map`, `--decimal`, `--encoding`, `--numbers`, `--ignore-unknown`."""
    for add in (
        click.option(
            "--numbers",
            type=click.Choice(["displayed", "stored"]),
            help="If a number format rounds: send the text displayed, or the number stored.",
        ),
        click.option("--encoding", metavar="NAME", help="The encoding of a text file, such as cp1250."),
        click.option("--ignore-unknown", is_flag=True, help="Ignore unknown columns."),
        click.option("--decimal", "decimal_mark", type=click.Choice([".", ","]), default=".", help="The decimal mark."),
        click.option(
            "--map",
            "maps",
            metavar="HEADING=FIELD",
            multiple=True,
            help='A heading of your own: "Kundennr=CustomerId".',
        ),
        click.option("--sheet", metavar="NAME", help="The sheet of the workbook to take."),
    ):
        command = add(command)
    return command


def make_sheet_options(given: Mapping[str, Any]) -> SheetOptions:
    """Return how a file is to be read, from `sheet_options`. Raises `UsageError`."""
    from bulkupdate.runs.input_file import SheetOptions

    return SheetOptions(
        sheet=given["sheet"],
        heading_map=parse_maps(given["maps"]),
        decimal_mark=given["decimal_mark"],
        ignore_unknown=given["ignore_unknown"],
        encoding=given["encoding"],
        numbers=given["numbers"],
    )


def run_mode_options(command: Any) -> Any:
    """Add the options that say what a run leaves out, reads back or keeps."""
    for add in (
        click.option("--snapshot", is_flag=True, help="Save the previous values, so that `undo` can restore them."),
        click.option(
            "--max-age",
            type=Number(0, 36_500),
            metavar="DAYS",
            help="With --since-last: trust what the journal confirmed within this many days, and nothing older.",
        ),
        click.option(
            "--since-last", is_flag=True, help="Skip rows whose values the journal has already confirmed; no requests."
        ),
        click.option(
            "--only-changes", is_flag=True, help="Read the live customers first; send only the fields that differ."
        ),
        click.option(
            "--verify", is_flag=True, help="Read back what was sent; if the service ignored it, the row failed."
        ),
    ):
        command = add(command)
    return command


def make_run_options(given: Mapping[str, Any], *, skip_invalid: bool = False, limit: int | None = None) -> RunOptions:
    """Return what is asked of a run by `run_mode_options`. Raises `UsageError`."""
    from bulkupdate.runs.runner import RunOptions

    if given["max_age"] is not None and not given["since_last"]:
        raise UsageError("--max-age says how long --since-last trusts the journal, but --since-last was not given.")
    asked = {name: given[name] for name in ("verify", "only_changes", "since_last", "snapshot")}
    return RunOptions(skip_invalid=skip_invalid, limit=limit, max_age_days=given["max_age"], **asked)


def make_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings from the options of a command, the environment and the file. Raises `UsageError`."""
    settings = load_settings(given, config=given.get("config"))
    if call := click.get_current_context().find_object(Invocation):
        call.settings = settings
    return settings


def parse_maps(maps: tuple[str, ...]) -> dict[str, str]:
    """`--map "Kundennr=CustomerId"`, as often as it was given. Raises `UsageError` where there is no `=`."""
    pairs = {}
    for each in maps:
        heading, equals, field = each.rpartition("=")
        if not equals or not heading.strip() or not field.strip():
            raise UsageError(
                f"--map {each!r} is not HEADING=FIELD.", remedy='Write it like --map "Kundennr=CustomerId".'
            )
        pairs[heading.strip()] = field.strip()
    return pairs
