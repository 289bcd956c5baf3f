"""Crash reports: the traceback of an unexpected error, without secrets, in a private file.

The traceback may quote a customer's cell, so it goes into no log, no terminal and no browser.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Iterable
from pathlib import Path

from bulkupdate.clock import Clock, format_utc
from bulkupdate.files import open_private
from bulkupdate.redaction import Redactor

FOLDER = "errors"


def save_crash_report(state_dir: Path, error: BaseException, passwords: Iterable[str], clock: Clock) -> Path:
    """Write the traceback to a new file and return its path; the stem is the reference number for the user.

    `passwords` are removed in every form that `Redactor` knows, and bearer tokens always. Raises `OSError`.
    """
    redactor = Redactor()
    for password in passwords:
        redactor.learn(password)
    trace = redactor.redact("".join(traceback.format_exception(error)))
    folder = state_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{os.urandom(4).hex()}.txt"
    with open_private(path) as stream:
        text = re.sub(r"Bearer\s+\S+", "Bearer [secret]", trace)
        stream.write(f"{format_utc(clock.now())}\n{text}".encode("utf-8", "backslashreplace"))
    return path


def log_crash(
    state_dir: Path, error: BaseException, passwords: Iterable[str], clock: Clock, log: logging.Logger
) -> str:
    """Save an error, log its type and reference number, and return the number. Never raises `OSError`."""
    try:
        path = save_crash_report(state_dir, error, passwords, clock)
    except OSError as unwritable:
        number = os.urandom(4).hex()
        log.error("error %s (%s) could not be saved: %s", number, type(error).__name__, unwritable.strerror)
        return number
    log.error("error %s (%s): details in %s", path.stem, type(error).__name__, path)
    return path.stem


def purge_crash_reports(state_dir: Path, before: float) -> None:
    """Delete the reports older than that time (seconds since 1970). Raises `OSError`."""
    for path in (state_dir / FOLDER).glob("*.txt"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
