"""The records kept of a run as a whole and of each of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from bulkupdate.customers.models import Status
from bulkupdate.runs.matching.live_key import LiveKey, make_live_key

UNCONFIRMED = (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED)
"""What `resume` sends, except rows answered 200 that only have to be read back, which are `unknown` too."""

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
    """The options of a run.

    `limit` is the maximum number of rows to send, None for all; it is not stored with the run. `only_changes` and
    `since_last` leave out what is live already, by reading and by the journal; `max_age_days` limits the age of trusted
    entries of the journal, None: no limit. `snapshot` keeps the previous values for `undo`. `undo` is the id of the
    run whose previous values this one restores, empty for any other run. `sheet` is the sheet of the workbook that was
    read, empty if the file has none or that is not known. `key` and `lookup` are how the customers were found, empty if
    by their ids; `key_field` and `key_heading` are those of the `LiveKey`, empty if there is none. `reading` are the
    options of the command line by which its headings and values are read, quoted for a shell. `recipe` is the name of
    the recipe that was used, empty if there was none, and `recipe_text` its file at that time. `canary` is how many
    rows are sent and read back before the others, 0: none. `only_if_empty` are the fields, separated by commas, that
    are read first and only sent if the customer's are empty. `run_key` is the caller's own name of the run, empty if it
    gave none: a repeated call continues it.
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
    key_field: str = ""
    key_heading: str = ""
    reading: str = ""
    canary: int = 0
    only_if_empty: str = ""
    run_key: str = ""
    recipe: str = ""
    recipe_text: str = ""
    probe: bool = False
    limit: int | None = None

    @property
    def is_read_first(self) -> bool:
        """Whether all customers are read before the run begins."""
        return self.only_changes or bool(self.undo)

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The fields that a row still has to be read for before it is sent, and that are left out unless empty."""
        return frozenset() if self.is_read_first else frozenset(filter(None, self.only_if_empty.split(",")))

    def guard(self, names: Collection[str]) -> RunOptions:
        """Return the options of a run that only writes these fields if they are empty."""
        return replace(self, only_if_empty=",".join(sorted(names)))

    def for_retry(self) -> RunOptions:
        """Return the options of a run that sends rows of this one again, without selecting them again."""
        return replace(self, only_changes=False, since_last=False, max_age_days=None, limit=None, run_key="")

    def to_json(self) -> dict[str, str | bool]:
        """Return the options as stored in the journal and shown in a Summary."""
        kept: dict[str, str | bool] = {name: getattr(self, name) for name in _FLAGS}
        if self.max_age_days is not None:
            kept["max_age_days"] = f"{self.max_age_days:g}"
        if self.canary:
            kept["canary"] = str(self.canary)
        return kept | {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}

    @classmethod
    def from_json(cls, kept: Mapping[str, str | bool]) -> RunOptions:
        """Return the options that this or another version has stored; missing ones have their defaults."""
        age = kept.get("max_age_days")
        values: dict[str, Any] = {name: bool(kept.get(name)) for name in _FLAGS}
        values |= {name: str(kept.get(name) or "") for name in _TEXTS}
        canary = int(kept.get("canary") or 0)
        return cls(**values, canary=canary, max_age_days=None if age is None else float(age))


_FLAGS = ("verify", "skip_invalid", "only_changes", "since_last", "snapshot", "probe")
_TEXTS = (
    "only_if_empty", "undo", "sheet", "key", "lookup", "key_field", "key_heading", "reading", "run_key", "recipe",
    "recipe_text",
)  # fmt: skip


@dataclass(frozen=True)
class NewRun:
    """What is recorded about a run before its first request.

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
    """A run as recorded in the journal. Times are ISO 8601 in UTC; `finished` is empty until it has ended.

    `stopped_by` says in a sentence why it stopped before its last row; empty otherwise. `calls` counts every request.
    `machine` is the one that sent it last, empty if that is not known; `stop_asked` says who asked it to stop, empty if
    nobody did since it began.
    """

    key: int
    state: RunState
    started: str
    finished: str
    stopped_by: str
    calls: int
    rows: int
    machine: str
    stop_asked: str

    @property
    def live_key(self) -> LiveKey | None:
        """How keys are compared with live customers; None if they are not."""
        return make_live_key(self.options.key_field, self.options.key_heading, self.headings)


class NewerRun(NamedTuple):
    """A run that has sent customers that are still pending in an older, unfinished run."""

    id: str
    customers: int


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

    def withhold(self, status: Status, message: str, now: str, http_status: int | None = None) -> RowOutcome:
        """Return the outcome of a row that is not sent; one that may have been applied before is `unknown` instead."""
        status = Status.UNKNOWN if self.may_be_applied else status
        return RowOutcome(self.number, status, http_status, self.attempts, message, now, self.may_be_applied)


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of a row.

    `finished_at` is empty for a row that was not sent. `may_be_applied` is true unless it is certain that the
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
    """The number of rows by status, without statuses that no row has."""

    counts: Mapping[Status, int] = field(default_factory=dict)

    def __getitem__(self, status: Status) -> int:
        return self.counts.get(status, 0)

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return sum(self.counts.values())

    @property
    def is_all_well(self) -> bool:
        """Whether every row is updated or unchanged."""
        return self[Status.UPDATED] + self[Status.UNCHANGED] == self.rows
