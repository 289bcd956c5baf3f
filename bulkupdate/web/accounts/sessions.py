"""The sessions of signed-in users, kept in the memory of the server; for several servers see `shared_sessions.py`."""

from __future__ import annotations

import hmac
import secrets
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError
from bulkupdate.redaction import Secret
from bulkupdate.text import fold_name

MAX_SESSION_SECONDS = 12 * 3600.0
"""A session ends after this time even if it is never idle."""

_MAX_REMEMBERED_ENDS = 10_000


class EndReason(Enum):
    """Why a session ended before the user signed out."""

    IDLE = "idle"
    TOO_OLD = "too old"
    REFUSED = "refused"
    PASSWORD_CHANGED = "password changed"  # noqa: S105  # no password
    BY_USER = "by user"
    BY_ADMIN = "by administrator"


class UnknownPassword(Secret):
    """A password that was typed at another server; `password_again.py` asks for it before it is needed."""

    __slots__ = ()

    def reveal(self) -> str:
        """Raise `StoppedError`."""
        raise StoppedError("The password of this session was typed at another server.", remedy="Sign in again.")

    def __bool__(self) -> bool:
        return True


@dataclass
class Session:
    """One session of one user.

    `username` is the login as it is sent to the service, `identity` the user name that the service returned, and `host`
    the service. `password` is an `UnknownPassword` if it was typed at another server. `address` and `browser` say where
    the user signed in. `started`, `seen` and `checked` (when the service last accepted the login) are seconds of
    `Clock.monotonic`. `token` is what the cookie holds, empty if that is not known.
    """

    id: str
    username: str
    identity: str
    password: Secret
    host: str
    address: str
    browser: str
    started: float
    seen: float
    checked: float
    token: str = ""

    @property
    def user_key(self) -> str:
        """The user in the form in which users are compared."""
        return fold_name(self.identity)

    def has_password(self, password: Secret) -> bool:
        """Return whether the service accepted this password for the session; takes the same time for any wrong one."""
        if not self.is_password_known:
            return False
        return hmac.compare_digest(self.password.reveal().encode(), password.reveal().encode())

    @property
    def is_password_known(self) -> bool:
        """Whether this server has the password."""
        return not isinstance(self.password, UnknownPassword)


@dataclass(frozen=True)
class AcceptedLogin:
    """A login that the service has accepted; `identity` is the user name that it returned."""

    username: str
    identity: str
    password: Secret
    host: str

    @property
    def user_key(self) -> str:
        """The user in the form in which users are compared."""
        return fold_name(self.identity)


class SessionStore(ABC):
    """All sessions. Thread-safe. A session ends after `idle_seconds` without a page being opened."""

    def __init__(self, clock: Clock, idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        self._clock = clock

    @abstractmethod
    def read_key(self, name: str, /) -> bytes:
        """Return the key by which cookies are signed."""

    @abstractmethod
    def open(self, login: AcceptedLogin, address: str = "", browser: str = "") -> Session:
        """Return a new session with a random id; sessions of the same user with another password end."""

    @abstractmethod
    def keep_password(self, session_id: str, password: Secret) -> None:
        """Keep the password of a session that was opened at another server."""

    @abstractmethod
    def note_accepted(self, session: Session) -> None:
        """Note that the service has just accepted the login of a session again."""

    @abstractmethod
    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of a cookie; None if it has ended or never existed.

        `touch`: the user opened a page, so the session is not idle; a page that refreshes itself does not count.
        """

    @abstractmethod
    def why_ended(self, token: str) -> EndReason | None:
        """Return why a session ended; None if it has not, or the user signed out, or it was long ago."""

    @abstractmethod
    def end(self, session_id: str, reason: EndReason | None = None) -> None:
        """End a session and delete its password; `reason` is shown to its user, None for a sign-out."""

    @abstractmethod
    def end_refused(self, refused: Session) -> None:
        """End all sessions of a user whose password the service no longer accepts."""

    @abstractmethod
    def all(self) -> list[Session]:
        """Return all sessions, the newest first."""

    @abstractmethod
    def remove_expired(self) -> None:
        """Delete the sessions that have been idle for too long or are too old."""

    def seconds_left(self, session: Session) -> float:
        """Return after how many seconds the session ends if no page is opened."""
        now = self._clock.monotonic()
        return min(session.seen + self.idle_seconds, session.started + MAX_SESSION_SECONDS) - now

    def of_user(self, user_key: str) -> list[Session]:
        """Return the sessions of one user, the newest first."""
        return [session for session in self.all() if session.user_key == user_key]


class Sessions(SessionStore):
    """The sessions of a single server, in its memory."""

    def __init__(self, clock: Clock, idle_seconds: float) -> None:
        super().__init__(clock, idle_seconds)
        self._sessions: dict[str, Session] = {}
        self._ends: OrderedDict[str, EndReason] = OrderedDict()
        self._lock = threading.Lock()

    def read_key(self, _name: str, /) -> bytes:
        """Return a key of this process: after a restart every user signs in again."""
        return secrets.token_bytes(32)

    def open(self, login: AcceptedLogin, address: str = "", browser: str = "") -> Session:
        """Return a new session."""
        now, token = self._clock.monotonic(), secrets.token_urlsafe(32)
        session = Session(
            token, login.username, login.identity, login.password, login.host, address, browser,
            started=now, seen=now, checked=now, token=token,
        )  # fmt: skip
        self._end_if(
            lambda other: is_same_user(other, session) and not other.has_password(login.password),
            EndReason.PASSWORD_CHANGED,
        )
        with self._lock:
            self._sessions[session.id] = session
        return session

    def keep_password(self, session_id: str, password: Secret) -> None:
        """Do nothing: all passwords are known."""

    def note_accepted(self, session: Session) -> None:
        """Note that the service has just accepted the login of a session again."""
        session.checked = self._clock.monotonic()

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of a cookie."""
        self.remove_expired()
        with self._lock:
            session = self._sessions.get(token)
            if session is not None and touch:
                session.seen = self._clock.monotonic()
        return session

    def why_ended(self, token: str) -> EndReason | None:
        """Return why a session ended."""
        with self._lock:
            return self._ends.get(token)

    def end(self, session_id: str, reason: EndReason | None = None) -> None:
        """Delete a session and its password."""
        self._end_if(lambda session: session.id == session_id, reason)

    def end_refused(self, refused: Session) -> None:
        """Delete all sessions of a user with a password that the service no longer accepts."""
        self._end_if(
            lambda session: is_same_user(session, refused) and session.has_password(refused.password),
            EndReason.REFUSED,
        )

    def all(self) -> list[Session]:
        """Return all sessions, the newest first."""
        self.remove_expired()
        with self._lock:
            return sorted(self._sessions.values(), key=lambda session: -session.started)

    def remove_expired(self) -> None:
        """Delete the sessions that have been idle for too long or are too old."""
        now = self._clock.monotonic()
        self._end_if(lambda session: now - session.seen > self.idle_seconds, EndReason.IDLE)
        self._end_if(lambda session: now - session.started > MAX_SESSION_SECONDS, EndReason.TOO_OLD)

    def _end_if(self, is_ended: Callable[[Session], bool], reason: EndReason | None) -> None:
        with self._lock:
            for session in [session for session in self._sessions.values() if is_ended(session)]:
                del self._sessions[session.id]
                if reason is not None:
                    self._ends[session.id] = reason
            while len(self._ends) > _MAX_REMEMBERED_ENDS:
                self._ends.popitem(last=False)


def is_same_user(one: Session, other: Session) -> bool:
    """Return whether both are of the same user of the same service."""
    return one.user_key == other.user_key and one.host == other.host
