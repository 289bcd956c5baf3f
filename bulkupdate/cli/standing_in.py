"""`sandbox` and `demo`: trying everything without a service."""

from __future__ import annotations

import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import environment_name

_SAMPLE = Path(__file__).parents[2] / "sample_data" / "customers.xlsx"
_DEMO_FOLDER = Path("demo")


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


@click.command("sandbox", short_help="A local stand-in for the service.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="0 takes a free one.")
@_sandbox_options
def sandbox_command(host: str, port: int, **given: Any) -> int:
    """Serve the documented API on this machine, with made customers and, if you like, trouble, until Ctrl-C."""
    from bulkupdate.sandbox.server import Sandbox, serve_forever

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


@click.command("demo", short_help="Run sandbox, sample file and results in one go.")
def demo_command() -> int:
    """Check and run the sample sheet against a sandbox, in the folder demo/ here. Touches nothing else."""
    from bulkupdate.cli.main import run_cli
    from bulkupdate.sandbox.server import Sandbox

    if not _SAMPLE.is_file():
        raise UsageError(f"The sample {_SAMPLE} is missing.", remedy="The demo runs in a checkout of the project.")
    shutil.rmtree(_DEMO_FOLDER, ignore_errors=True)
    _DEMO_FOLDER.mkdir()
    sheet = Path(shutil.copy(_SAMPLE, _DEMO_FOLDER / "customers.xlsx"))
    with Sandbox(SandboxOptions(customers=1000)) as sandbox:
        given = {
            "base_url": sandbox.base_url, "username": sandbox.options.username, "password": sandbox.options.password,
            "state_dir": str(_DEMO_FOLDER / "state"),
        }  # fmt: skip
        os.environ.update({environment_name(name): value for name, value in given.items()})
        for arguments in (
            ["check", str(sheet), "-o", str(_DEMO_FOLDER / "customers-check.xlsx")],
            ["run", str(sheet), "--yes", "-o", str(_DEMO_FOLDER / "customers-results.xlsx")],
        ):
            click.echo(f"\n$ bulkupdate {' '.join(arguments)}", err=True)
            exit_code = run_cli(arguments)
            if exit_code != ExitCode.DONE:
                return exit_code
    return ExitCode.DONE


COMMANDS = (sandbox_command, demo_command)


def _parse_rates(given: tuple[str, ...]) -> dict[str, float]:
    """`--fault error-503=0.1`, as often as it was given."""
    rates = {}
    for each in given:
        name, _, rate = each.partition("=")
        try:
            rates[name] = float(rate)
        except ValueError:
            raise UsageError(f"--fault {each!r} is not NAME=RATE.", remedy="Write it like error-503=0.1.") from None
    return rates
