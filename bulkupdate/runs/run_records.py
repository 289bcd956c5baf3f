"""The records kept of a run as a whole and of each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bulkupdate.customers.models import Status


class RunState(StrEnum):
    """How far a run is. A run whose process died stands as running until someone looks at its lock."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True)
class NewRun:
    """What is written down of a run before its first request.

    `file` is the input's full path as it was, `sha256` of its bytes. `host` and `username` say on whose behalf;
    `options` are the run's own choices (`verify`, `snapshot`, …), `settings` those in force without secrets.
    `parent` is the run that this one retries or undoes, None for a file's own.
    """

    id: str
    file: str
    sha256: str
    host: str
    username: str
    headings: tuple[str, ...]
    options: Mapping[str, str | bool]
    settings: Mapping[str, str]
    results_path: str
    parent: str | None


@dataclass(frozen=True)
class Run(NewRun):
    """A run as the journal knows it. Times are ISO 8601 in UTC; `finished` is empty until it has ended.

    `stopped_by` says in a sentence why it stopped before its last row; empty otherwise. `calls` counts every request.
    """

    key: int
    state: RunState
    started: str
    finished: str
    stopped_by: str
    calls: int
    rows: int


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A row that is to be sent.

    `attempts` were made before, by a run that stopped; `may_be_applied`: one of them was, or may have been, applied.
    """

    number: int
    customer_id: str
    body: str
    fields: tuple[str, ...]
    attempts: int = 0
    may_be_applied: bool = False


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of a row.

    `finished_at` is empty for a row that was not sent after all. `may_be_applied` is true unless it is certain that the
    service applied none of the row's requests.
    """

    row: int
    status: Status
    http_status: int | None
    attempts: int
    message: str
    finished_at: str
    may_be_applied: bool = True


@dataclass(frozen=True)
class StatusCounts:
    """How many rows have which status; a status nobody has is left out."""

    counts: Mapping[Status, int] = field(default_factory=dict)

    def __getitem__(self, status: Status) -> int:
        return self.counts.get(status, 0)

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.counts.values())

    @property
    def is_all_well(self) -> bool:
        """Whether every row is updated or unchanged."""
        return self[Status.UPDATED] + self[Status.UNCHANGED] == self.rows
