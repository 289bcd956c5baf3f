"""The options that all commands share, and the arguments that many take."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bulkupdate import __version__
from bulkupdate.cli.command_help import OptionGroup, option
from bulkupdate.cli.console import Console
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.sheet_source import SheetSource
from bulkupdate.settings import CONFIG_NAME, SECRETS, SETTINGS
from bulkupdate.settings_sources import load_settings

Function = Callable[..., Any]

SHEET = SheetSource()
RUN_ARGUMENT = click.argument("run_id", metavar="[RUN]", required=False)
FILE_ARGUMENT = click.argument("file", type=SHEET)
YES_OPTION = option("--yes", is_flag=True, group=OptionGroup.SENDING, help="Send without asking.")

PLAN_OPTION = option(
    "--plan",
    type=click.Path(path_type=Path),
    group=OptionGroup.GUARDS,
    help="The plan: a dry run writes it to this file (.json), and `run` sends nothing that is not exactly in it.",
)

_option = partial(option, group=OptionGroup.GENERAL)
_COMMON = (
    _option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, for programs."),
    _option("--quiet", is_flag=True, help="Print nothing but errors."),
    _option(
        "--config",
        type=click.Path(path_type=Path),
        help=f"The settings file; without it: {CONFIG_NAME} in this folder, else your own. Settings are options too, "
        "such as --timeout 60: `bulkupdate help settings`.",
    ),
    click.version_option(__version__, prog_name="bulkupdate"),
)
_SETTINGS = tuple(setting for setting in SETTINGS if setting.name not in SECRETS)
_SHOWN = "shown_settings"


class Number(click.ParamType[float]):
    """A number within bounds, both included."""

    name = "number"

    def __init__(self, least: float, most: float, kind: type[int] | type[float] = float) -> None:
        self._least, self._most, self._kind = least, most, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises `click.BadParameter` if it is out of bounds, or not a number (as is `nan`)."""
        try:
            number = self._kind(value)
        except ValueError:
            number = math.nan
        if not self._least <= number <= self._most:
            kind = "whole number" if self._kind is int else "number"
            self.fail(f"{value!r} is not a {kind} from {self._least:,} to {self._most:,}.", param, ctx)
        return number


PORT = Number(0, 65_535, int)


def add_options(command: Function, options: tuple[Callable[[Function], Function], ...]) -> Function:
    """Return the command with the options added in this order."""
    for add in reversed(options):
        command = add(command)
    return command


def output_option(help_text: str, default: Path | None = None) -> Callable[[Function], Function]:
    """Return a decorator that adds `-o`, passed as `output`, and `--force`, which is noted in the `Invocation`."""
    path = option(
        "-o",
        "output",
        type=click.Path(path_type=Path),
        default=default,
        show_default=default is not None,
        group=OptionGroup.OUTPUT,
        help=help_text,
    )
    force = option(
        "--force",
        is_flag=True,
        expose_value=False,
        callback=_note_force,
        group=OptionGroup.OUTPUT,
        help="Overwrite an existing file, even if bulkupdate did not write it.",
    )
    return lambda command: add_options(command, (path, force))


def _note_force(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Invocation).force = value


RESULTS_OPTION = output_option("Where the results go, .xlsx or .csv; without it: beside the sheet.")
SHEET_OUTPUT_OPTION = output_option("Where the new sheet goes, .xlsx or .csv.")


def list_given(*names: str) -> tuple[str | Path, ...]:
    """Return, of the named options, those that are on the command line, as arguments to repeat."""
    ctx = click.get_current_context()
    arguments: list[str | Path] = []
    for param in ctx.command.params:
        if param.name not in names or ctx.get_parameter_source(param.name) is not ParameterSource.COMMANDLINE:
            continue
        name, value = max(param.opts, key=len), ctx.params[param.name]
        if isinstance(value, bool):
            arguments.append(name)
            continue
        for part in value if isinstance(value, tuple) else (value,):
            arguments += [
                name,
                part if isinstance(part, Path) else f"{part:g}" if isinstance(part, float) else str(part),
            ]
    return tuple(arguments)


def common_options(command: Function) -> Function:
    """Add `--json`, `--quiet`, `--config` and every setting as an option, and pass the command its `Invocation`.

    It must be the topmost decorator below `@click.command`, so that errors of the others respect `--json` and
    `--quiet`.
    """

    @wraps(command)
    def invoke(*, config: Path | None, quiet: bool, as_json: bool, **given: Any) -> int:
        invocation = click.get_current_context().ensure_object(Invocation)
        invocation.as_json, invocation.console = as_json, Console(quiet=quiet)
        file = given.get("file")
        invocation.file, invocation.run_id = None if file is None else str(file), given.get("run_id")
        invocation.common_arguments = list_given("config", *(setting.name for setting in _SETTINGS))
        on_command_line = {setting.name: given.pop(setting.name) for setting in _SETTINGS}
        invocation.settings = load_settings(on_command_line, config=config)
        return int(command(invocation, **given))

    shown = getattr(command, _SHOWN, ())
    return add_options(
        invoke, (*_COMMON, *(_make_setting_option(setting, setting.name in shown) for setting in _SETTINGS))
    )


def show_settings(command: Function, names: tuple[str, ...]) -> Function:
    """Let the help of the command show these settings, under their own heading."""
    setattr(command, _SHOWN, names)
    return command


def _make_setting_option(setting: Any, is_shown: bool) -> Callable[[Function], Function]:
    """Return a setting as an option that the help shows only if the command is about it: `help settings` shows all."""
    name = f"--{setting.name.replace('_', '-')}"
    group, text = OptionGroup.GUARDS, setting.metadata["help"]
    metavar = "FIELD=POLICY" if setting.type == "str" else "N|P%"
    return option(
        name,
        setting.name,
        hidden=not is_shown,
        metavar=metavar,
        group=group,
        help=text,
    )
