"""`demo`: sandbox, sample file and results in one go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

import bulkupdate
from bulkupdate.errors import ExitCode
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import environment_name

_SAMPLE = Path(bulkupdate.__file__).with_name("sample_data") / "customers.xlsx"
_FOLDER = Path("demo")


@click.command("demo")
def command() -> int:
    """Check and run the sample sheet against a sandbox, in the folder demo/ here. Touches nothing else."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir()
    sheet = str(shutil.copy(_SAMPLE, _FOLDER / "customers.xlsx"))
    with Sandbox(SandboxOptions(customers=1000)) as sandbox:
        exit_code = _run(sandbox, "check", sheet, "-o", str(_FOLDER / "customers-check.xlsx"))
        if exit_code == ExitCode.DONE:
            exit_code = _run(sandbox, "run", sheet, "--yes", "-o", str(_FOLDER / "customers-results.xlsx"))
    return exit_code


def _run(sandbox: Sandbox, *arguments: str) -> int:
    """Run a command of the program against the sandbox, as a process of its own, and return its exit code."""
    settings = {
        "base_url": sandbox.base_url, "username": sandbox.options.username, "password": sandbox.options.password,
        "state_dir": str(_FOLDER / "state"),
    }  # fmt: skip
    environment = os.environ | {environment_name(name): value for name, value in settings.items()}
    click.echo(f"\n$ bulkupdate {' '.join(arguments)}", err=True)
    call = [sys.executable, "-P", "-m", "bulkupdate", *arguments]
    return subprocess.run(call, env=environment, check=False).returncode  # noqa: S603 - nothing of it is an input
