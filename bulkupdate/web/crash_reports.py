"""What went wrong and nobody foresaw: a number for the person, the details for whoever keeps the server."""

from __future__ import annotations

import logging
import os
import secrets
import traceback
from pathlib import Path

from bulkupdate.clock import Clock, format_utc
from bulkupdate.redaction import Redactor
from bulkupdate.settings import Secret

FOLDER = "errors"
log = logging.getLogger("bulkupdate.web")


class CrashReports:
    """Writes each unforeseen error to a file of its own in the state folder, readable by the server's user only: its
    text may hold customer data, so that it goes into no log and to no browser."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._folder = state_dir / FOLDER
        self._clock = clock

    def report(self, error: BaseException, secrets_known: list[Secret] | None = None) -> str:
        """Keep an error; its reference number. `secrets_known` are blackened, should they stand in it."""
        number = secrets.token_hex(4)
        redactor = Redactor()
        for each in secrets_known or ():
            redactor.learn(each.reveal())
        text = redactor.redact("".join(traceback.format_exception(error)))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{number}.txt"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(f"{format_utc(self._clock.now())}\n{text}")
        except OSError as unwritable:
            log.error("error %s (%s) could not be kept: %s", number, type(error).__name__, unwritable.strerror)
        else:
            log.error("error %s (%s): details in %s", number, type(error).__name__, path)
        return number


def purge_bugs(state_dir: Path, before: float) -> None:
    """Remove the files of errors older than that time (seconds since 1970)."""
    folder = state_dir / FOLDER
    for each in folder.glob("*.txt") if folder.is_dir() else ():
        if each.stat().st_mtime < before:
            each.unlink(missing_ok=True)
