"""Let one process at a time work on a folder. The system releases the lock when its process ends, however it ends."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bulkupdate.clock import Clock, format_utc
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.files import open_private
from bulkupdate.store.journal_home import JournalHome

LOCK_NAME = "lock"
OWNER_NAME = "owner.json"
IDENTITY_NAME = "identity"
_IDENTITY_TRIES = 20


@dataclass(frozen=True)
class Owner:
    """The process that works on the folder: its id, its machine, and when it began (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextmanager
def hold_folder(
    state_folder: Path, clock: Clock, home: JournalHome | None = None, address: str = ""
) -> Iterator[Owner | None]:
    """Hold the lock of the folder, which is kept in `state_folder` with a note that names its owner.

    With `home` a lock is held there, too, which hosts that share the journal see whatever the locks of their shared
    disk are worth. `address` is that of a folder on another machine, empty for one of this machine.

    Yield the owner that was killed while it held the lock, None if there was none. Raises `BusyError`, naming the
    owner, if another process holds the lock, and `UsageError` if the folder cannot be locked.
    """
    with _hold_file(state_folder) as is_held, _hold_shared(state_folder, home if is_held else None, address) as is_free:
        if not (is_held and is_free):
            raise BusyError(
                f"The folder {state_folder.parent} is in use by {read_owner(state_folder) or 'another process'}.",
                remedy="Wait until it ends, or stop it with SIGTERM or Ctrl-C: it then records what was sent.",
            )
        killed = read_owner(state_folder)
        _write_owner(state_folder, Owner(os.getpid(), socket.gethostname(), format_utc(clock.now())))
        try:
            yield killed
        finally:
            with suppress(OSError):
                (state_folder / OWNER_NAME).unlink()


@contextmanager
def _hold_file(state_folder: Path) -> Iterator[bool]:
    lock = FileLock(state_folder / LOCK_NAME, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise UsageError(
            f"The folder {state_folder} cannot be locked: {error.strerror or error}.", remedy="Make it writable."
        ) from error
    try:
        yield True
    finally:
        lock.release()


def _hold_shared(state_folder: Path, home: JournalHome | None, address: str) -> AbstractContextManager[bool]:
    """Hold a lock for the folder in the journal's home; True without one."""
    if home is None:
        return nullcontext(True)
    name = address or _read_identity(state_folder)
    return home.hold_lock(f"night-{hashlib.sha256(name.encode()).hexdigest()[:32]}", 0)


def _read_identity(state_folder: Path) -> str:
    """Return the folder's own random name, which is the same wherever it is mounted; it is made at the first use.

    Raises `UsageError` if it cannot be read.
    """
    path = state_folder / IDENTITY_NAME
    try:
        with suppress(FileExistsError), open_private(path) as stream:
            stream.write(secrets.token_hex(16).encode())
        for _ in range(_IDENTITY_TRIES):
            if name := path.read_text(encoding="utf-8"):
                return name
            time.sleep(0.05)  # another host is writing it
        reason = "it is empty; delete it"
    except (OSError, ValueError) as error:
        reason = str(error)
    raise UsageError(f"The file {path} cannot be used: {reason}.", remedy="Make it readable.")


def read_owner(state_folder: Path) -> Owner | None:
    """Return the owner of the lock, perhaps killed while holding it; None if it is not known."""
    try:
        note = json.loads((state_folder / OWNER_NAME).read_text(encoding="utf-8"))
        return Owner(int(note["pid"]), str(note["host"]), str(note["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_owner(state_folder: Path, owner: Owner) -> None:
    """Write the note in one step: another process may be reading it."""
    new = state_folder / f"{OWNER_NAME}.{owner.pid}"
    with open_private(new, replace=True) as stream:
        stream.write(json.dumps(asdict(owner)).encode())
    new.replace(state_folder / OWNER_NAME)
