"""Who is signed in: kept in the memory of the process only, forgotten on sign-out, when idle, or with it."""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass

from bulkupdate.clock import Clock
from bulkupdate.settings import Secret

LONGEST_SECONDS = 12 * 3600.0
"""A session ends after so long even if it is never idle."""


def fold_name(username: str) -> str:
    """Return a login name as it is compared: without regard to case and to blanks around it."""
    return username.strip().casefold()


@dataclass
class Session:
    """One session of one person. `host` is the service that accepted the login; times are seconds since 1970."""

    id: str
    username: str
    password: Secret
    host: str
    started: float
    seen: float

    @property
    def person(self) -> str:
        """The login name as it is compared."""
        return fold_name(self.username)

    def has_password(self, password: Secret) -> bool:
        """Whether that is the password the service accepted; takes as long for a near miss as for a far one."""
        return hmac.compare_digest(self.password.reveal().encode(), password.reveal().encode())


class Sessions:
    """All sessions. Thread-safe. `idle_seconds` without a page opened end a session."""

    def __init__(self, clock: Clock, idle_seconds: float) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._logins: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, username: str, password: Secret, host: str) -> Session:
        """Return a new session, under an id that nobody can guess."""
        now = self._clock.now()
        login = Session(secrets.token_urlsafe(32), username.strip(), password, host, now, now)
        with self._lock:
            self._logins[login.id] = login
        return login

    def find(self, login_id: str, *, touch: bool = True) -> Session | None:
        """Return the session of this id; None where there is none any more.

        `touch`: someone opened a page, so that it is not idle; a page that refreshes itself does not count.
        """
        self.sweep()
        with self._lock:
            login = self._logins.get(login_id)
            if login is not None and touch:
                login.seen = self._clock.now()
        return login

    def end(self, login_id: str) -> None:
        """Forget a session and its password."""
        with self._lock:
            self._logins.pop(login_id, None)

    def of_person(self, person: str) -> list[Session]:
        """Return the sessions of one person."""
        self.sweep()
        with self._lock:
            return [each for each in self._logins.values() if each.person == person]

    def sweep(self) -> None:
        """Forget the sessions that are idle or too old."""
        now = self._clock.now()
        with self._lock:
            for login in list(self._logins.values()):
                if now - login.seen > self._idle_seconds or now - login.started > LONGEST_SECONDS:
                    del self._logins[login.id]
