"""Let one process at a time work through a folder. The lock ends with its owner; the note beside it names the owner."""

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
    """Who works through the folder: process id, machine, and since when (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextmanager
def hold_folder(own: Path, clock: Clock) -> Iterator[Owner | None]:
    """Be the only call at work; `own` is where lock and note lie. Gives the owner who died holding it, else None.

    The system frees the lock of a process that ends in whatever way, so that it is never stale; the note may be.
    Raises `BusyError`, naming the owner, where another process holds it.
    """
    lock = FileLock(own / LOCK_NAME, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        owner = read_owner(own)
        raise BusyError(
            f"The folder {own.parent} is being worked through by {owner or 'another process'}.",
            remedy="Let it end, or stop it with SIGTERM or Ctrl-C: it puts everything in order and frees the folder.",
        ) from error
    except OSError as error:
        raise UsageError(f"The folder {own} cannot be locked: {error.strerror or error}.") from error
    try:
        dead = read_owner(own)
        _write_owner(own, Owner(os.getpid(), socket.gethostname(), format_utc(clock.now())))
        yield dead
    finally:
        with suppress(OSError):
            (own / OWNER_NAME).unlink()
        lock.release()


def read_owner(own: Path) -> Owner | None:
    """Who holds the folder, or held it last without giving it back; None where that is not known."""
    try:
        noted = json.loads((own / OWNER_NAME).read_text(encoding="utf-8"))
        return Owner(int(noted["pid"]), str(noted["host"]), str(noted["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_owner(own: Path, owner: Owner) -> None:
    """In one step, as others may be reading it just now."""
    new = own / f"{OWNER_NAME}.{owner.pid}"
    with open_private(new, replace=True) as stream:
        stream.write(json.dumps(asdict(owner)).encode())
    new.replace(own / OWNER_NAME)
