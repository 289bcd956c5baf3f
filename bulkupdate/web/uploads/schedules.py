"""Starts at a later time: kept beside the sheet; the login that starts it is kept in memory only."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock, format_utc
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.json_files import read_record, write_json
from bulkupdate.web.uploads.upload_store import Uploads

RECORD = "schedule.json"

MAX_AHEAD_SECONDS = 14 * 86_400.0
GRACE_SECONDS = 300.0
"""A start that is later than this has been missed: its user decides what becomes of it."""


@dataclass(frozen=True)
class Schedule:
    """A start of a sheet at `at` (seconds since 1970), as `order` says (`StartOrder.to_json`).

    `identity` and `host` are the user and the service, `plan` the digest of what was agreed to, and `failure` says why
    nothing was sent at that time, empty before.
    """

    upload_id: str
    at: float
    identity: str
    host: str
    plan: str
    order: Mapping[str, Any]
    failure: str = ""

    def is_missed(self, now: float) -> bool:
        """Return whether its time has passed without a start."""
        return bool(self.failure) or now > self.at + GRACE_SECONDS

    def is_of(self, session: Session) -> bool:
        """Return whether the user of this session has scheduled it."""
        return fold_name(self.identity) == session.user_key and self.host == session.host


@dataclass(frozen=True)
class ShownSchedule:
    """A schedule as its page shows it; `at` is ISO 8601 in UTC.

    `has_login`: this server can start it, which it cannot after a restart until its user signs in again.
    """

    schedule: Schedule
    at: str
    is_missed: bool
    has_login: bool


class Schedules:
    """All scheduled starts of a state folder, and the logins that this server has for them. Thread-safe."""

    def __init__(self, uploads: Uploads, clock: Clock) -> None:
        self._uploads = uploads
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def set(self, schedule: Schedule, session: Session) -> None:
        """Keep a schedule in place of an earlier one, to be started with the login of this session."""
        with self._lock:
            write_json(self._uploads.folder_of(schedule.upload_id) / RECORD, asdict(schedule))
            self._sessions[schedule.upload_id] = session

    def find(self, upload_id: str) -> Schedule | None:
        """Return the schedule of an upload; None if it has none."""
        return read_record(self._path(upload_id), Schedule)

    def describe(self, upload_id: str) -> ShownSchedule | None:
        """Return the schedule of an upload as its page shows it; None if it has none."""
        schedule = self.find(upload_id)
        if schedule is None:
            return None
        is_missed = schedule.is_missed(self._clock.now())
        return ShownSchedule(schedule, format_utc(schedule.at), is_missed, upload_id in self._sessions)

    def cancel(self, upload_id: str) -> None:
        """Forget the schedule of an upload."""
        with self._lock:
            self._path(upload_id).unlink(missing_ok=True)
            self._sessions.pop(upload_id, None)

    def fail(self, schedule: Schedule, reason: str) -> None:
        """Record why nothing was sent; the schedule stays for its user to see."""
        with self._lock:
            self._sessions.pop(schedule.upload_id, None)
            if self._path(schedule.upload_id).exists():
                write_json(self._path(schedule.upload_id), asdict(replace(schedule, failure=reason)))

    def add_login(self, session: Session) -> None:
        """Use the login of a user who has just signed in for what that user has scheduled."""
        for upload_id in self.ids():
            schedule = self.find(upload_id)
            if schedule is not None and schedule.is_of(session) and not schedule.is_missed(self._clock.now()):
                self._sessions[upload_id] = session

    def drop_logins(self, session: Session) -> None:
        """Forget the logins of a user whose sessions were ended by someone else: nothing starts until a new sign-in."""
        with self._lock:
            for upload_id, kept in list(self._sessions.items()):
                if kept.user_key == session.user_key and kept.host == session.host:
                    del self._sessions[upload_id]

    def take_due(self) -> list[tuple[Schedule, Session]]:
        """Return what is to be started now, each once, with its login; without what was missed, as in a hibernation."""
        now, due = self._clock.now(), []
        for upload_id in list(self._sessions):
            schedule = self.find(upload_id)
            if schedule is None:
                self.cancel(upload_id)  # its sheet was deleted
            elif schedule.at <= now and (session := self._sessions.pop(upload_id, None)) is not None:
                due += [] if schedule.is_missed(now) else [(schedule, session)]
        return due

    def ids(self) -> frozenset[str]:
        """Return the uploads that have a schedule."""
        return frozenset(path.parent.name for path in self._uploads.folder.glob(f"*/{RECORD}"))

    def _path(self, upload_id: str) -> Path:
        return self._uploads.folder / upload_id / RECORD


def parse_local_time(text: str, now: float) -> float:
    """Return the time of a form, `2026-01-14T22:00` in the server's zone, in seconds since 1970.

    Of an hour that comes twice, at the end of summer time, it is the first. Raises `ValueError` with a sentence if
    there is no such time, or it has passed, or it is too far ahead.
    """
    try:
        wanted = datetime.fromisoformat(text).replace(tzinfo=None, second=0, microsecond=0)
        at = wanted.timestamp()
    except (ValueError, OverflowError):
        raise ValueError("Choose a day and a time.") from None
    if at <= now:
        raise ValueError("That time has passed. Choose a later one, or start it now.")
    if at > now + MAX_AHEAD_SECONDS:
        raise ValueError("That is more than 14 days ahead. Choose an earlier time.")
    if datetime.fromtimestamp(at) != wanted:
        raise ValueError(f"There is no {wanted:%H:%M} on that day, as the clocks go forward. Choose another time.")
    return at
