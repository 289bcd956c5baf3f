"""The sessions of signed-in users, kept in the memory of the server only."""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass

from bulkupdate.clock import Clock
from bulkupdate.settings import Secret

MAX_SESSION_SECONDS = 12 * 3600.0
"""A session ends after this time even if it is never idle."""


def fold_name(username: str) -> str:
    """Return a user name in the form in which names are compared: without regard to case and outer blanks."""
    return username.strip().casefold()


@dataclass
class Session:
    """One session of one user. `host` is the service that accepted the login; times are seconds since 1970."""

    id: str
    username: str
    password: Secret
    host: str
    started: float
    seen: float

    @property
    def user_key(self) -> str:
        """The user name in the form in which names are compared."""
        return fold_name(self.username)

    def has_password(self, password: Secret) -> bool:
        """Return whether the service accepted this password for the session; takes the same time for any wrong one."""
        return hmac.compare_digest(self.password.reveal().encode(), password.reveal().encode())


class Sessions:
    """All sessions. Thread-safe. A session ends after `idle_seconds` without a page being opened."""

    def __init__(self, clock: Clock, idle_seconds: float) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, username: str, password: Secret, host: str) -> Session:
        """Return a new session with a random id."""
        now = self._clock.now()
        session = Session(secrets.token_urlsafe(32), username.strip(), password, host, now, now)
        with self._lock:
            self._sessions[session.id] = session
        return session

    def find(self, session_id: str, *, touch: bool = True) -> Session | None:
        """Return the session with this id; None if it has ended or never existed.

        `touch`: the user opened a page, so the session is not idle; a page that refreshes itself does not count.
        """
        self.remove_expired()
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and touch:
                session.seen = self._clock.now()
        return session

    def end(self, session_id: str) -> None:
        """Delete a session and its password."""
        with self._lock:
            self._sessions.pop(session_id, None)

    def of_user(self, user_key: str) -> list[Session]:
        """Return the sessions of one user."""
        self.remove_expired()
        with self._lock:
            return [session for session in self._sessions.values() if session.user_key == user_key]

    def remove_expired(self) -> None:
        """Delete the sessions that have been idle for too long or are too old."""
        now = self._clock.now()
        with self._lock:
            for session in list(self._sessions.values()):
                if now - session.seen > self._idle_seconds or now - session.started > MAX_SESSION_SECONDS:
                    del self._sessions[session.id]
