"""Let one process at a time work on a folder. The system releases the lock of a process that ends, in whatever way."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bulkupdate.clock import Clock, format_utc
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.files import open_private

LOCK_NAME = "lock"
OWNER_NAME = "owner.json"


@dataclass(frozen=True)
class Owner:
    """The process that works on the folder: its id, its machine, and when it began (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextmanager
def hold_folder(state_folder: Path, clock: Clock) -> Iterator[Owner | None]:
    """Hold the lock of the folder, which is kept in `state_folder` with a note that names its owner.

    Yield the owner that was killed while it held the lock, None if there was none. Raises `BusyError`, naming the
    owner, if another process holds the lock, and `UsageError` if the folder cannot be locked.
    """
    lock = FileLock(state_folder / LOCK_NAME, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        owner = read_owner(state_folder)
        raise BusyError(
            f"The folder {state_folder.parent} is in use by {owner or 'another process'}.",
            remedy="Wait until it ends, or stop it with SIGTERM or Ctrl-C: it then records what was sent.",
        ) from error
    except OSError as error:
        raise UsageError(
            f"The folder {state_folder} cannot be locked: {error.strerror or error}.", remedy="Make it writable."
        ) from error
    try:
        killed = read_owner(state_folder)
        _write_owner(state_folder, Owner(os.getpid(), socket.gethostname(), format_utc(clock.now())))
        yield killed
    finally:
        with suppress(OSError):
            (state_folder / OWNER_NAME).unlink()
        lock.release()


def read_owner(state_folder: Path) -> Owner | None:
    """Return who holds the folder, or was killed while holding it; None if that is not known."""
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
