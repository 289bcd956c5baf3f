"""What distinguishes the stores: their tables, and the messages if one cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from bulkupdate.errors import StoppedError


class Failure(Enum):
    """What is wrong with a file."""

    LOCKED = "locked"
    """Another program has held it for `LOCK_WAIT_SECONDS`."""
    FULL = "full"
    """The disk is full, or cannot be written."""
    DAMAGED = "damaged"
    """It is not a SQLite file, or not one that bulkupdate made."""
    OTHER_VERSION = "other version"
    """Another version of bulkupdate has written it."""
    UNUSABLE = "unusable"
    """Anything else that SQLite reports, such as missing rights."""
    UNREACHABLE = "unreachable"
    """The system cannot open it, or its folder."""


@dataclass(frozen=True)
class DatabaseKind:
    """One kind of store: its tables, and the messages if it cannot be used.

    `name` is how users know it: journal, quota file. `only_in_sqlite` and `only_in_postgres` are statements that make
    what only one of them understands.
    `tables` are its statements, separated by `;` and a line break; `migrations` are those that lead from the version
    given to the next. `synchronous` is SQLite's setting of that name. `messages` holds a sentence and a remedy for
    each failure, with {path}, {name} and {reason} in them. `page_bytes` 0 is SQLite's own choice. `is_made_in_place`:
    an empty file gets its tables when it is opened; otherwise it counts as damaged.
    """

    name: str
    version: int
    tables: str
    synchronous: str
    error: type[StoppedError]
    messages: Mapping[Failure, tuple[str, str]]
    migrations: Mapping[int, str] = field(default_factory=dict)
    page_bytes: int = 0
    is_made_in_place: bool = False
    only_in_sqlite: str = ""
    only_in_postgres: str = ""

    def describe(self, path: Path, failure: Failure, reason: str = "") -> StoppedError:
        """Return the error for users."""
        message, remedy = self.messages[failure]
        words = {"path": path, "name": path.name, "reason": reason, "version": self.version}
        return self.error(message.format(**words), remedy=remedy.format(**words))
