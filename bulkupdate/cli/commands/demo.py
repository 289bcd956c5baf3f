"""`demo`: sandbox, sample file and results in one go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

import click

import bulkupdate
from bulkupdate.cli.command_help import Command
from bulkupdate.errors import ExitCode
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import environment_name

_SAMPLE = Path(bulkupdate.__file__).with_name("sample_data") / "customers.xlsx"


@click.command(
    "demo",
    cls=Command,
    examples={
        "": "Try the program out; the results are in demo/.",
    },
)
def command() -> int:
    """Check and run the sample sheet against a sandbox, in a new folder demo/ here. Touches nothing else."""
    folder = _make_folder()
    sheet = str(shutil.copy(_SAMPLE, folder / "customers.xlsx"))
    with Sandbox(SandboxOptions(customers=1000)) as sandbox:
        exit_code = _run(sandbox, folder, "check", sheet, "-o", str(folder / "customers-check.xlsx"))
        if exit_code == ExitCode.DONE:
            exit_code = _run(sandbox, folder, "run", sheet, "--yes", "-o", str(folder / "customers-results.xlsx"))
    return exit_code


def _make_folder() -> Path:
    """Return a new folder: `demo`, or `demo-2` and so on if that exists; nothing in it is overwritten."""
    for folder in chain([Path("demo")], (Path(f"demo-{number}") for number in count(2))):
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("there is always a next number")


def _run(sandbox: Sandbox, folder: Path, *arguments: str) -> int:
    """Run a command of the program against the sandbox, as a process of its own, and return its exit code."""
    settings = {
        "base_url": sandbox.base_url, "username": sandbox.options.username, "password": sandbox.options.password,
        "state_dir": str(folder / "state"),
    }  # fmt: skip
    environment = os.environ | {environment_name(name): value for name, value in settings.items()}
    click.echo(f"\n$ bulkupdate {' '.join(arguments)}", err=True)
    call = [sys.executable, "-P", "-m", "bulkupdate", *arguments]
    return subprocess.run(call, env=environment, check=False).returncode  # noqa: S603 - no part is user input
