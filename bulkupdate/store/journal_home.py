"""What the journal's tables need of the place where they are kept: a file of the state folder, or PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from bulkupdate.store.database import OpenedStore

RESUME_IT = "continue with `bulkupdate resume`"
"""How each remedy of a run that had begun ends."""


class JournalHome(OpenedStore, Protocol):
    """A journal that was opened. Every method raises `JournalError` if it cannot be written or read."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold the turn to write, in one transaction on the journal that was opened.

        Raises `JournalError` if that journal is gone: nothing more may be sent.
        """

    def reading(self) -> AbstractContextManager[None]:
        """Read everything inside as it is at the first query, though other processes write meanwhile."""

    def require_whole(self) -> None:
        """Raise `JournalError` if the journal was deleted, replaced or damaged since it was opened."""

    def hold_lock(self, name: str, wait_seconds: float) -> AbstractContextManager[bool]:
        """Hold the lock of that name, which dies with this process; False if another one has it for longer."""

    def is_locked(self, name: str) -> bool:
        """Return whether a process holds that lock."""

    def remove_lock(self, name: str) -> None:
        """Delete what is left of a lock that is no longer needed."""

    def overwrite_deleted(self) -> None:
        """Leave no trace of what is deleted from now on, as far as this home can."""

    def compact(self, *, rewrite: bool) -> None:
        """Give back the space of what was deleted; with `rewrite`, thoroughly, which may take long."""
