"""`sandbox`: a local stand-in for the service."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.options import PORT
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.tenant.report import read_switches
from bulkupdate.sandbox.server import Sandbox, serve_forever
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import environment_name

_ASSIGNMENT = '$env:{} = "{}"' if os.name == "nt" else "export {}={}"
"""How a variable is set in PowerShell and in the shells of other systems."""

_VALUES = {int: "N", float: "SHARE"}


def _sandbox_options(command: Any) -> Any:
    """Add a command-line option for each option of the sandbox."""
    for field in reversed(fields(SandboxOptions)):
        command = _make_option(field)(command)
    return command


def _make_option(switch: Field[Any]) -> Callable[[Any], Any]:
    name, about = f"--{switch.name.replace('_', '-')}", switch.metadata
    common = {"show_default": True, "group": about["section"], "help": about["help"]}
    if switch.name == "faults":
        return option("--fault", "faults", multiple=True, metavar="NAME=RATE", **common)
    if isinstance(switch.default, bool):
        return option(f"{name}/--no-{name[2:]}", switch.name, default=switch.default, **common)
    kind: Any = click.Choice([str(choice) for choice in about["choices"]]) if about["choices"] else type(switch.default)
    default = f"{switch.default:g}" if isinstance(switch.default, float) else str(switch.default)
    if not about["choices"]:
        common["metavar"] = "SECONDS" if name.endswith("-seconds") else _VALUES.get(kind, switch.name.upper())
    return option(name, switch.name, type=kind, default=default, **common)


@click.command(
    "sandbox",
    cls=Command,
    examples={
        "": "Serve 200 customers on http://127.0.0.1:8765.",
        "--like facts.json": "Behave like the service of that report.",
        "--fault error-503=0.1 --latency-seconds 0.2": "A slow service that fails one in ten updates.",
    },
)
@option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address: one of this machine.")
@option("--port", type=PORT, metavar="N", default=8765, show_default=True, help="The port; 0: a free one.")
@option(
    "--like",
    type=click.Path(path_type=Path),
    metavar="FACTS.json",
    help="Behave like the service of this report of `bulkupdate doctor`; options given beside it count before it.",
)
@_sandbox_options
def command(host: str, port: int, like: Path | None, **given: Any) -> int:
    """Serve the documented API on this machine, with generated customers and optional faults, until Ctrl-C."""
    given["faults"] = _parse_rates(given["faults"])
    for name in ("throttle_status", "unknown_customer_status", "sign_in_refusal_status"):
        given[name] = int(given[name])
    if like is not None:
        source = click.get_current_context().get_parameter_source
        switches = read_switches(like)
        given |= {
            field.name: switches[field.name]
            for field in fields(SandboxOptions)
            if field.name in switches and source(field.name) is not ParameterSource.COMMANDLINE
        }

    def announce(sandbox: Sandbox) -> None:
        options = sandbox.options
        first, last = options.first_customer_id, options.first_customer_id + options.customers - 1
        click.echo(f"Sandbox: {options.customers:,} customers, ids {first} to {last}. Stop it with Ctrl-C.", err=True)
        connection = {"base_url": sandbox.base_url, "username": options.username, "password": options.password}
        for name, value in connection.items():
            click.echo(_ASSIGNMENT.format(environment_name(name), value))

    serve_forever(SandboxOptions(**given), host, port, announce)
    return ExitCode.DONE


def _parse_rates(given: tuple[str, ...]) -> dict[str, float]:
    """Return the rates of `--fault error-503=0.1`, which may be repeated. Raises `UsageError`."""
    rates = {}
    for assignment in given:
        name, _, rate = assignment.partition("=")
        try:
            rates[name] = float(rate)
        except ValueError:
            raise UsageError(
                f"--fault {assignment!r} is not NAME=RATE.", remedy="Write it like error-503=0.1."
            ) from None
    return rates
