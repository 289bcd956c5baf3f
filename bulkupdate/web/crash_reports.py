"""Unexpected errors of the page: a reference number for the user, the details for the administrator."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.crash_report import save_crash_report
from bulkupdate.settings import Secret

log = logging.getLogger("bulkupdate.web")


class CrashReports:
    """Saves each unexpected error in the state folder and logs only its reference number and its kind."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._state_dir = state_dir
        self._clock = clock

    def report(self, error: BaseException, passwords: Sequence[Secret] = ()) -> str:
        """Save an error and return its reference number. `passwords` are taken out of it."""
        try:
            path = save_crash_report(self._state_dir, error, [each.reveal() for each in passwords], self._clock)
        except OSError as unwritable:
            number = secrets.token_hex(4)
            log.error("error %s (%s) could not be saved: %s", number, type(error).__name__, unwritable.strerror)
            return number
        log.error("error %s (%s): details in %s", path.stem, type(error).__name__, path)
        return path.stem
