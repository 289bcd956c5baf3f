"""What a store needs of its database, whether that is a SQLite file or a schema of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

_Result = TypeVar("_Result")


class Cursor(Protocol):
    """The result of a statement."""

    @property
    def description(self) -> Any:
        """The columns of the result, each with its name first."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""

    def fetchone(self) -> Any:
        """Return the next row; None after the last."""

    def fetchall(self) -> list[Any]:
        """Return the other rows."""


class Connection(Protocol):
    """Executes statements in the SQL that SQLite and PostgreSQL share; `?` or `?1` stands for a value."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Execute a statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Execute a statement once for the values of each row."""


class ClockOffset(NamedTuple):
    """The seconds by which a clock is ahead, between two bounds, as asking takes a while."""

    least: float
    most: float

    def refine(self, other: ClockOffset) -> ClockOffset:
        """Return what both allow; the other one if they contradict each other, as a clock was set meanwhile."""
        both = ClockOffset(max(self.least, other.least), min(self.most, other.most))
        return both if both.least <= both.most else other


class OpenedStore(Protocol):
    """A store that was opened, wherever it is."""

    @property
    def name(self) -> str:
        """Its name, as shown to users."""

    @property
    def connection(self) -> Connection:
        """Where statements are executed, within `translated`."""

    def translated(self) -> AbstractContextManager[None]:
        """Raise failures of the database as the error of its kind, which says what to do."""

    def retried(self, work: Callable[[], _Result]) -> _Result:
        """Call a function, and again if the connection was lost and restored: for what may be done twice."""

    def close(self) -> None:
        """Close it; what was written stays."""


class Database(OpenedStore, Protocol):
    """A store whose transactions are short, and that has a clock."""

    locks_rows: bool
    """Whether it locks single rows, and one statement can change several tables; else the whole store is locked."""

    @property
    def clock_offset(self) -> ClockOffset:
        """How far the database's clock was ahead of this machine's in the last transaction."""

    def transaction(self) -> AbstractContextManager[None]:
        """Execute all statements inside, or none; no other transaction of the same store runs meanwhile."""
