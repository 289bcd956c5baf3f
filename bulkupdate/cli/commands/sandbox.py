"""`sandbox`: a local stand-in for the service."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.sandbox.server import Sandbox, serve_forever
from bulkupdate.sandbox.switches import SandboxOptions


def _sandbox_options(command: Any) -> Any:
    """Add a command-line option for each option of the sandbox."""
    for each in reversed(fields(SandboxOptions)):
        name = f"--{each.name.replace('_', '-')}"
        kind: Any = click.Choice([str(choice) for choice in each.metadata["choices"]])
        if each.name == "faults":
            command = click.option("--fault", "faults", multiple=True, metavar="NAME=RATE", help=each.metadata["help"])(
                command
            )
        elif isinstance(each.default, bool):
            command = click.option(
                f"{name}/--no-{name[2:]}",
                each.name,
                default=each.default,
                show_default=True,
                help=each.metadata["help"],
            )(command)
        else:
            kind = kind if each.metadata["choices"] else type(each.default)
            command = click.option(
                name, each.name, type=kind, default=str(each.default), show_default=True, help=each.metadata["help"]
            )(command)
    return command


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="0 takes a free one.")
@_sandbox_options
def command(host: str, port: int, **given: Any) -> int:
    """Serve the documented API on this machine, with generated customers and optional faults, until Ctrl-C."""
    given["faults"] = _parse_rates(given["faults"])
    given["throttle_status"] = int(given["throttle_status"])
    given["unknown_customer_status"] = int(given["unknown_customer_status"])
    given["sign_in_refusal_status"] = int(given["sign_in_refusal_status"])

    def tell(sandbox: Sandbox) -> None:
        options = sandbox.options
        first, last = options.first_customer_id, options.first_customer_id + options.customers - 1
        click.echo(f"Sandbox: {options.customers:,} customers, ids {first} to {last}. Stop it with Ctrl-C.", err=True)
        click.echo(f"export BULKUPDATE_BASE_URL={sandbox.base_url}")
        click.echo(f"export BULKUPDATE_USERNAME={options.username} BULKUPDATE_PASSWORD={options.password}")

    serve_forever(SandboxOptions(**given), host, port, tell)
    return ExitCode.DONE


def _parse_rates(given: tuple[str, ...]) -> dict[str, float]:
    """Return the rates of `--fault error-503=0.1`, as often as it was given. Raises `UsageError`."""
    rates = {}
    for each in given:
        name, _, rate = each.partition("=")
        try:
            rates[name] = float(rate)
        except ValueError:
            raise UsageError(f"--fault {each!r} is not NAME=RATE.", remedy="Write it like error-503=0.1.") from None
    return rates
