"""Have a virus scanner check an upload before it is read."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

MAX_SECONDS = 60.0

INFECTED = (
    "The virus scanner of the server does not accept this file.",
    "Scan it on your computer. If it is clean, tell your administrator.",
)
NOT_SCANNED = (
    "The virus scanner of the server did not work, so the file was not read.",
    "Tell your administrator, then upload it again.",
)


def scan(command: str, path: Path) -> tuple[str, str] | None:
    """Run the scanner with the file as its last argument; return why the file is refused and what to do, None if clean.

    As is usual for scanners, exit code 0 means that the file is clean, and 1 that it is not; anything else is a
    failure, and the file is refused too. An empty command scans nothing.
    """
    if not command.strip():
        return None
    try:
        # the command is the administrator's setting, the path is generated; no shell is involved
        code = subprocess.run(  # noqa: S603
            make_scan_call(command, path), check=False, capture_output=True, timeout=MAX_SECONDS
        ).returncode
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return NOT_SCANNED
    return {0: None, 1: INFECTED}.get(code, NOT_SCANNED)


def make_scan_call(command: str, path: Path, *, is_windows: bool = os.name == "nt") -> str | list[str]:
    r"""Return the scanner's command line: a text on Windows, where the backslash of `C:\scan.exe` is no escape."""
    return f"{command} {subprocess.list2cmdline([str(path)])}" if is_windows else [*shlex.split(command), str(path)]
