"""The quota on disk: what all processes of the machine have spent of one user's quota on one host.

It is an SQLite file, so that it is shared, survives `kill -9`, and works on every system. `rate_limit.py` does the
waiting; here each method is one short transaction, and time is passed in.

A request's slot counts from the *end* of the request: the service received it at some moment before, so that the
next holder of the slot cannot reach the service less than a window later. While a request is in flight its slot is
taken; if its process dies it comes free a window after the latest moment at which the request could have ended.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from bulkupdate.errors import StoppedError

FILE_NAME = "quota.sqlite3"
VERSION = 1

LOCK_SECONDS = 20.0
"""How long another process may hold the file."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS allowance (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    used INTEGER NOT NULL DEFAULT 0,            -- rows in spent
    paused_until REAL NOT NULL DEFAULT 0,
    paused_for REAL NOT NULL DEFAULT 0,         -- seconds of that pause, as it was asked for
    generation INTEGER NOT NULL DEFAULT 0,      -- of throttle answers obeyed so far
    throttled INTEGER NOT NULL DEFAULT 0,       -- of them in a row; 0: the way is open
    throttled_since REAL NOT NULL DEFAULT 0,
    probe_until REAL NOT NULL DEFAULT 0         -- lease of the one request that tries whether the way is open again
);
CREATE TABLE IF NOT EXISTS spent (id INTEGER PRIMARY KEY, allowance INTEGER NOT NULL, free_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS spent_in_order ON spent (allowance, free_at);
"""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request. `slot` is None where there is no limit."""

    slot: int | None
    generation: int
    is_probe: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave before `until` (seconds since 1970).

    `throttled`: because the service said so, else the quota is used up. `is_exact`: whether that moment is known, or
    only the next one worth asking at.
    """

    until: float
    throttled: bool
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class _State:
    used: int
    paused_until: float
    paused_for: float
    generation: int
    throttled: int
    throttled_since: float
    probe_until: float


PlanPause = Callable[[int, float], float | None]
"""Throttle answers in a row (1, 2, …) and the seconds since the first of them, to the seconds to pause, or None: it
has been too long."""

PROBE_POLL_SECONDS = 0.05
"""How often those who wait for the probe's answer look."""

FORGET_THROTTLING_SECONDS = 600.0
"""Throttle answers further apart than this, after the pause, are not in a row."""

HELD_BACK_SECONDS = 120.0
"""How long the others are held back once waiting has gone on too long."""


def is_locked(error: BaseException) -> bool:
    """Return whether SQLite gave up because another connection holds the file."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class RateLimitStore:
    """One user's allowance on one host. Thread-safe.

    `limit` is the requests in any `window` seconds, 0 = no limit; `lease` is the seconds that a request takes at most.
    Every method raises `StoppedError` where the file is locked for long, damaged, or cannot be written.
    """

    def __init__(self, folder: Path, name: str, limit: int, window: float, lease: float) -> None:
        self.path = folder / FILE_NAME
        self.limit = limit
        # A hair longer than the window: two machines' clocks drift apart, and are set right by up to 500 ppm.
        self._hold = window * 1.0005
        self._lease = lease
        self._lock = threading.Lock()
        self._ended: list[tuple[float, int]] = []
        self._is_closed = False
        with self._translated():
            self._file = _open(self.path)
            self._id = _find(self._file, hashlib.sha256(name.encode()).hexdigest()[:32])

    def take(self, now: float) -> Permit | Refusal:
        """One slot, if one is free."""
        with self._transaction(now) as state:
            if now < state.paused_until:
                return Refusal(state.paused_until, throttled=True)
            is_probe = state.throttled > 0
            if is_probe and now < state.probe_until <= now + self._lease:
                return Refusal(now + PROBE_POLL_SECONDS, throttled=True, is_exact=False)
            if self.limit and state.used >= self.limit and (until := self._make_room(now, state.used)) is not None:
                return Refusal(until, throttled=False)
            if is_probe:
                self._set("probe_until = ?", now + self._lease)
            return Permit(self._occupy(now), state.generation, is_probe)

    def record(self, now: float) -> None:
        """Take a slot, whether one was free or not, for a request that was sent without permission and has ended."""
        with self._transaction(now) as state:
            permit = Permit(self._occupy(now), state.generation, is_probe=False)
        self._free(permit, now + self._hold)

    def release(self, permit: Permit, now: float, *, answered: bool) -> None:
        """Note that the request of that permit has ended, `answered` if with an answer that is no throttling.

        Is written with the next transaction: an end that gets lost only keeps its slot a little longer.
        """
        self._free(permit, now + self._hold)
        if permit.is_probe:
            self._end_probe(permit, now, is_open=answered)

    def cancel_permit(self, permit: Permit, now: float) -> None:
        """Free the slot of a permit whose request was never sent."""
        self._free(permit, now)
        if permit.is_probe:
            self._end_probe(permit, now, is_open=False)

    def throttle(self, permit: Permit, now: float, plan: PlanPause) -> float | None:
        """Pause all processes as `plan` says, as the request of that permit was throttled.

        Return when the pause ends, in seconds since 1970; None where waiting has gone on too long. Answers to
        requests that were under way when the pause began make no new one: they are the same news.
        """
        self._free(permit, now + self._hold)
        with self._transaction(now) as state:
            if state.generation != permit.generation:
                return max(state.paused_until, now)
            stale = now > state.paused_until + FORGET_THROTTLING_SECONDS
            throttled = 1 if stale else state.throttled + 1
            since = now if throttled == 1 else state.throttled_since
            pause = plan(throttled, now - since)
            paused_for = HELD_BACK_SECONDS if pause is None else pause
            self._set(
                "generation = generation + 1, probe_until = 0, throttled = ?, throttled_since = ?, paused_until = ?,"
                " paused_for = ?",
                throttled, since, now + paused_for, paused_for,
            )  # fmt: skip
            return None if pause is None else now + paused_for

    def when_free(self, now: float, calls: int) -> list[float]:
        """When the next so many slots come free, earliest first, at most `limit` of them; a free one counts as now."""
        with self._lock, self._translated():  # a mere look, which is the whole answer but for the end of an hour
            used, paused_until = self._file.execute(
                "SELECT used, paused_until FROM allowance WHERE id = ?", (self._id,)
            ).fetchone()
        if self.limit - used >= calls and paused_until <= now:
            return [now] * calls
        with self._transaction(now) as state:
            free = max(0, self.limit - state.used)  # those taken are asked for one by one: many may have come free
            busy = self._file.execute(
                "SELECT free_at FROM spent WHERE allowance = ? ORDER BY free_at LIMIT ? OFFSET ?",
                (self._id, max(0, min(calls, self.limit) - free), max(0, state.used - self.limit)),
            )
            earliest = max(now, state.paused_until)
            latest = now + self._hold + self._lease  # a later one was taken before the clock was set back
            return [earliest] * min(free, calls) + [max(earliest, min(when, latest)) for (when,) in busy]

    def when_paused(self, now: float) -> float:
        """Return the end of the pause the service asked for; now where there is none."""
        with self._transaction(now) as state:
            return max(now, state.paused_until)

    def close(self) -> None:
        """Write what has ended, and close the file. May be called twice."""
        with self._lock, self._translated():
            if not self._is_closed and self._ended:
                self._write_ended()
            self._is_closed = True
            self._file.close()

    def _free(self, permit: Permit, when: float) -> None:
        if permit.slot is not None:
            self._ended.append((when, permit.slot))

    def _end_probe(self, permit: Permit, now: float, *, is_open: bool) -> None:
        with self._transaction(now) as state:
            if state.generation == permit.generation:
                self._set("probe_until = 0, throttled = ?", 0 if is_open else state.throttled)

    # --- inside a transaction -----------------------------------------------------------------------------------------

    def _make_room(self, now: float, used: int) -> float | None:
        """Drop the slots that have come free; None where there is room now, else when there will be."""
        # A slot further ahead than any can be: the clock was set back since.
        self._file.execute(
            "UPDATE spent SET free_at = ? WHERE allowance = ? AND free_at > ?",
            (now + self._hold, self._id, now + self._hold + self._lease + 1),
        )
        used -= self._file.execute("DELETE FROM spent WHERE allowance = ? AND free_at <= ?", (self._id, now)).rowcount
        self._set("used = ?", used)
        if used < self.limit:
            return None
        row = self._file.execute(
            "SELECT free_at FROM spent WHERE allowance = ? ORDER BY free_at LIMIT 1 OFFSET ?",
            (self._id, used - self.limit),
        ).fetchone()
        return float(row[0])

    def _occupy(self, now: float) -> int | None:
        if not self.limit:
            return None
        free_at = now + self._lease + self._hold
        slot = self._file.execute("INSERT INTO spent (allowance, free_at) VALUES (?, ?)", (self._id, free_at)).lastrowid
        self._set("used = used + ?", 1)
        return slot

    def _write_ended(self) -> None:
        ended, self._ended = self._ended, []
        self._file.executemany("UPDATE spent SET free_at = ? WHERE id = ?", ended)

    def _set(self, assignments: str, *values: float) -> None:
        # the assignments are this module's own words
        self._file.execute(f"UPDATE allowance SET {assignments} WHERE id = ?", (*values, self._id))  # noqa: S608 - words of ours

    def _read_state(self, now: float) -> _State:
        """Return the state, with times that lie too far ahead set right: they were written by a clock set back since.

        What is set right is written, so that a pause ends and does not move along with the clock.
        """
        state = _State(
            *self._file.execute(
                "SELECT used, paused_until, paused_for, generation, throttled, throttled_since, probe_until"
                " FROM allowance WHERE id = ?",
                (self._id,),
            ).fetchone()
        )
        latest_pause = now + (state.paused_for or 2 * self._hold)
        if state.paused_until <= latest_pause and state.throttled_since <= now:
            return state
        bounded = replace(
            state,
            paused_until=min(state.paused_until, latest_pause),
            paused_for=state.paused_for or 2 * self._hold,
            throttled_since=min(state.throttled_since, now),
        )
        self._set(
            "paused_until = ?, paused_for = ?, throttled_since = ?",
            bounded.paused_until, bounded.paused_for, bounded.throttled_since,
        )  # fmt: skip
        return bounded

    @contextmanager
    def _transaction(self, now: float) -> Iterator[_State]:
        with self._lock, self._translated():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                if self._ended:
                    self._write_ended()
                yield self._read_state(now)
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoppedError(
                f"The quota file {self.path} cannot be used: {error}.",
                remedy="See that the folder is writable, the disk not full, and no other program holds the file.",
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoppedError(
                f"The quota file {self.path} is damaged: {error}.",
                remedy="Move it away; as it tells what the last hour's requests were, best wait an hour then.",
            ) from error
        except OSError as error:
            raise StoppedError(f"The quota file {self.path} cannot be made: {error.strerror}.") from error


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    file = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
    version = file.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        file.close()
        raise StoppedError(
            f"The quota file {path} is of another version of bulkupdate ({version}).",
            remedy="Use the newer version, or another BULKUPDATE_STATE_DIR.",
        )
    file.execute("PRAGMA page_size = 1024")  # small pages: little is written for each request
    _switch_to_wal(file)
    file.execute("PRAGMA synchronous = NORMAL")  # whole after kill -9 and power loss, which may cost the last entries
    if version == 0:
        file.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    _add_missing_column(file)
    return file


def _add_missing_column(file: sqlite3.Connection) -> None:
    """Bring a file of an older program up to date; that program can still use it."""
    file.execute("BEGIN IMMEDIATE")
    if "paused_for" not in {name for _, name, *_ in file.execute("PRAGMA table_info(allowance)")}:
        file.execute("ALTER TABLE allowance ADD COLUMN paused_for REAL NOT NULL DEFAULT 0")
    file.execute("COMMIT")


@retry(
    retry=retry_if_exception(lambda error: is_locked(error)),
    wait=wait_fixed(0.02),
    stop=stop_after_delay(LOCK_SECONDS),
    reraise=True,
)
def _switch_to_wal(file: sqlite3.Connection) -> None:
    """SQLite does not wait for a lock here, so that processes which start at once would turn each other away."""
    file.execute("PRAGMA journal_mode = WAL")


def _find(file: sqlite3.Connection, name: str) -> int:
    file.execute("INSERT OR IGNORE INTO allowance (name) VALUES (?)", (name,))
    return int(file.execute("SELECT id FROM allowance WHERE name = ?", (name,)).fetchone()[0])
