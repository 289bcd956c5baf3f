"""Crash reports: the traceback of an unexpected error, without secrets, in a private file of the state folder.

The traceback may quote a customer's cell, so it goes into no log, no terminal and no browser.
"""

from __future__ import annotations

import logging
import re
import secrets
import traceback
from collections.abc import Iterable
from pathlib import Path

from bulkupdate.clock import Clock, format_utc
from bulkupdate.files import open_private
from bulkupdate.redaction import Redactor

FOLDER = "errors"


def save_crash_report(state_dir: Path, error: BaseException, passwords: Iterable[str], clock: Clock) -> Path:
    """Write the traceback to a new file and return its path; the stem is the reference number for the user.

    `passwords` are taken out in every form `Redactor` knows, bearer tokens always. Raises `OSError`.
    """
    redactor = Redactor()
    for password in passwords:
        redactor.learn(password)
    trace = redactor.redact("".join(traceback.format_exception(error)))
    folder = state_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{secrets.token_hex(4)}.txt"
    with open_private(path) as stream:
        text = re.sub(r"Bearer\s+\S+", "Bearer [secret]", trace)
        stream.write(f"{format_utc(clock.now())}\n{text}".encode("utf-8", "backslashreplace"))
    return path


def log_crash(
    state_dir: Path, error: BaseException, passwords: Iterable[str], clock: Clock, log: logging.Logger
) -> str:
    """Save an error and log its reference number, which is returned, and its kind. Never raises `OSError`."""
    try:
        path = save_crash_report(state_dir, error, passwords, clock)
    except OSError as unwritable:
        number = secrets.token_hex(4)
        log.error("error %s (%s) could not be saved: %s", number, type(error).__name__, unwritable.strerror)
        return number
    log.error("error %s (%s): details in %s", path.stem, type(error).__name__, path)
    return path.stem


def purge_crash_reports(state_dir: Path, before: float) -> None:
    """Delete the reports older than that time (seconds since 1970). Raises `OSError`."""
    for path in (state_dir / FOLDER).glob("*.txt"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
