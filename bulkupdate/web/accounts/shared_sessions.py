"""The sessions of all page servers that share a database. Each password stays in the memory of one server."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.store.shared_store import NOW, SharedStore
from bulkupdate.web.accounts.sessions import (
    MAX_SESSION_SECONDS,
    AcceptedLogin,
    EndReason,
    Session,
    SessionStore,
    UnknownPassword,
    is_same_user,
)

_COLUMNS = f"id, username, identity, host, address, browser, {NOW} - started, {NOW} - seen"
_IS_ALIVE = f"ended = '' AND seen > {NOW} - ? AND started > {NOW} - {MAX_SESSION_SECONDS}"
_FIND = f"SELECT {_COLUMNS} FROM sessions WHERE id = ? AND {_IS_ALIVE}"  # noqa: S608 - constants
_TOUCH = f"UPDATE sessions SET seen = {NOW} WHERE id = ? AND {_IS_ALIVE} RETURNING {_COLUMNS}"  # noqa: S608 - constants
_ALL = f"SELECT {_COLUMNS} FROM sessions WHERE {_IS_ALIVE} ORDER BY started DESC"  # noqa: S608 - constants
_OPEN = f"""
INSERT INTO sessions (id, username, identity, user_key, host, address, browser, started, seen)
VALUES (?, ?, ?, ?, ?, ?, ?, {NOW}, {NOW})
"""  # noqa: S608 - constants
_WHY = f"SELECT ended, {NOW} - seen > ?, {NOW} - started > {MAX_SESSION_SECONDS} FROM sessions WHERE id = ?"  # noqa: S608 - constants
_FORGET = f"DELETE FROM sessions WHERE started < {NOW} - {2 * MAX_SESSION_SECONDS}"  # noqa: S608 - constants


class SharedSessions(SessionStore):
    """All sessions of all servers. Thread-safe. See `SessionStore`."""

    def __init__(self, store: SharedStore, clock: Clock, idle_seconds: float) -> None:
        super().__init__(clock, idle_seconds)
        self._store = store
        self._passwords: dict[str, Secret] = {}
        self._checked: dict[str, float] = {}

    def read_key(self, name: str, /) -> bytes:
        """Return a key by which all servers sign cookies."""
        return self._store.read_key(name)

    def open(self, login: AcceptedLogin, address: str = "", browser: str = "") -> Session:
        """Return a new session; those of the same user that are known to have another password end."""
        token = secrets.token_urlsafe(32)
        session_id = _hash(token)
        values = (session_id, login.username, login.identity, login.user_key, login.host, address, browser)
        self._store.execute((_OPEN, values))
        self.keep_password(session_id, login.password)
        session = self._read(self._store.query(_FIND, session_id, self.idle_seconds)[0], token)
        for other in self.of_user(session.user_key):
            if is_same_user(other, session) and other.is_password_known and not other.has_password(login.password):
                self.end(other.id, EndReason.PASSWORD_CHANGED)
        return session

    def keep_password(self, session_id: str, password: Secret) -> None:
        """Keep the password of a session, which the service has just accepted."""
        self._passwords[session_id], self._checked[session_id] = password, self._clock.monotonic()

    def note_accepted(self, session: Session) -> None:
        """Note that the service has just accepted the login of a session again."""
        self._checked[session.id] = self._clock.monotonic()

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of a cookie; None if it has ended or never existed."""
        found = self._store.query(_TOUCH if touch else _FIND, _hash(token), self.idle_seconds)
        return self._read(found[0], token) if found else None

    def why_ended(self, token: str) -> EndReason | None:
        """Return why a session ended; None if it has not, or the user signed out, or it was long ago."""
        for reason, is_idle, is_too_old in self._store.query(_WHY, self.idle_seconds, _hash(token)):
            if reason:
                return next((each for each in EndReason if each.value == reason), None)
            return EndReason.TOO_OLD if is_too_old else EndReason.IDLE if is_idle else None
        return None

    def end(self, session_id: str, reason: EndReason | None = None) -> None:
        """End a session and delete its password."""
        ended = reason.value if reason else "signed out"
        self._store.execute(("UPDATE sessions SET ended = ? WHERE id = ? AND ended = ''", (ended, session_id)))
        self._forget(session_id)

    def end_refused(self, refused: Session) -> None:
        """End all sessions of a user that are known to have the password that the service no longer accepts."""
        for session in self.of_user(refused.user_key):
            if is_same_user(session, refused) and session.has_password(refused.password):
                self.end(session.id, EndReason.REFUSED)

    def all(self) -> list[Session]:
        """Return all sessions, the newest first."""
        return [self._read(columns) for columns in self._store.query(_ALL, self.idle_seconds)]

    def remove_expired(self) -> None:
        """Delete sessions of yesterday, and the passwords of those that have ended, perhaps on another server."""
        self._store.execute((_FORGET, ()))
        alive = {session.id for session in self.all()}
        for session_id in [known for known in self._passwords if known not in alive]:
            self._forget(session_id)

    def _forget(self, session_id: str) -> None:
        self._passwords.pop(session_id, None)
        self._checked.pop(session_id, None)

    def _read(self, columns: Sequence[Any], token: str = "") -> Session:
        session_id, username, identity, host, address, browser, age, idle = columns
        now, password = self._clock.monotonic(), self._passwords.get(session_id) or UnknownPassword("")
        return Session(
            session_id, username, identity, password, host, address, browser,
            started=now - age, seen=now - idle, checked=self._checked.get(session_id, now), token=token,
        )  # fmt: skip


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
