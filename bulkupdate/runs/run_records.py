"""The records kept of a run as a whole and of each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bulkupdate.customers.models import Status

UNCONFIRMED = (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED)
"""What `resume` sends; a row answered 200 whose read-back is outstanding is `unknown` too, but is not sent again."""

RETRIED = (Status.REJECTED, Status.FAILED, Status.UNKNOWN)
"""What `retry` sends, as a new run."""

TO_FIX = (Status.INVALID, Status.REJECTED)
"""What the to-fix file holds: rows that a user can correct. The others wait for `resume` or `retry`."""


class RunState(StrEnum):
    """The state of a run. A run whose process died counts as running until its lock is checked."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True)
class RunOptions:
    """What is asked of a run. `limit` is the most rows to send, None for all; it is not kept with the run.

    `only_changes` and `since_last` leave out what is live already, by reading and by the journal; `max_age_days` bounds
    the trust in the journal, None: not at all. `snapshot` keeps the previous values for `undo`. `undo` is the id of the
    run whose previous values this one restores, empty for any other run. `sheet` is the sheet of the workbook that was
    read, empty if the file has none or that is not known. `key` and `lookup` are how the customers were found, empty if
    by their ids. `reading` are the options of the command line by which its headings and values are read, quoted for a
    shell. `canary` is how many rows are sent and read back before the others, 0: none. `run_key` is the caller's own
    name of the run, empty if it gave none: a repeated call continues it.
    """

    verify: bool = False
    skip_invalid: bool = False
    only_changes: bool = False
    since_last: bool = False
    snapshot: bool = False
    max_age_days: float | None = None
    undo: str = ""
    sheet: str = ""
    key: str = ""
    lookup: str = ""
    reading: str = ""
    canary: int = 0
    run_key: str = ""
    limit: int | None = None

    @property
    def is_read_first(self) -> bool:
        """Whether all customers are read before the run begins."""
        return self.only_changes or bool(self.undo)

    def for_retry(self) -> RunOptions:
        """Return the options of a run that sends rows of this one again: they are not selected again."""
        return replace(self, only_changes=False, since_last=False, max_age_days=None, limit=None, run_key="")

    def to_json(self) -> dict[str, str | bool]:
        """Return the options as they are kept in the journal and shown in a Summary."""
        kept: dict[str, str | bool] = {name: getattr(self, name) for name in _FLAGS}
        if self.max_age_days is not None:
            kept["max_age_days"] = f"{self.max_age_days:g}"
        if self.canary:
            kept["canary"] = str(self.canary)
        return kept | {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}

    @classmethod
    def from_json(cls, kept: Mapping[str, str | bool]) -> RunOptions:
        """Return the options that were kept, by this or another version: what is not there was not asked for."""
        age = kept.get("max_age_days")
        return cls(
            verify=bool(kept.get("verify")),
            skip_invalid=bool(kept.get("skip_invalid")),
            only_changes=bool(kept.get("only_changes")),
            since_last=bool(kept.get("since_last")),
            snapshot=bool(kept.get("snapshot")),
            max_age_days=None if age is None else float(age),
            canary=int(kept.get("canary") or 0),
            undo=str(kept.get("undo") or ""),
            sheet=str(kept.get("sheet") or ""),
            key=str(kept.get("key") or ""),
            lookup=str(kept.get("lookup") or ""),
            reading=str(kept.get("reading") or ""),
            run_key=str(kept.get("run_key") or ""),
        )


_FLAGS = ("verify", "skip_invalid", "only_changes", "since_last", "snapshot")
_TEXTS = ("undo", "sheet", "key", "lookup", "reading", "run_key")


@dataclass(frozen=True)
class NewRun:
    """What is recorded of a run before its first request.

    `file` is the full path of the input, `sha256` that of its bytes. `host` and `username` say whose customers are
    updated; `settings` are those in force, without secrets. `parent` is the run that this one retries or undoes, None
    for a file's own.
    """

    id: str
    file: str
    sha256: str
    host: str
    username: str
    headings: tuple[str, ...]
    options: RunOptions
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
    """How many rows have which status; a status that no row has is left out."""

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
