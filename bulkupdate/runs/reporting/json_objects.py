"""What `--json` prints of files and runs, as types; `docs/json_schema.py` writes the JSON Schema from them.

New keys may be added. If one changes its meaning, `JSON_SCHEMA` does too.
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from bulkupdate.customers.models import Severity, Status
from bulkupdate.errors import ExitCode
from bulkupdate.runs.matching.matches import Outcome
from bulkupdate.runs.run_records import RunState

JSON_SCHEMA = 1
"""The version of all objects."""

Time = Annotated[str, "date-time"]
"""ISO 8601, in UTC."""


class ObjectBase(TypedDict):
    """What all objects have."""

    schema: int


class ProblemObject(TypedDict):
    """Something wrong with a cell, a row, or the file; or the error that ended the command, without a severity.

    The codes are listed in docs/problems.md.
    """

    row: int | None
    column: str | None
    code: str
    message: str
    severity: NotRequired[Severity]


class ReasonObject(TypedDict):
    """Why `count` rows were not updated; `rows` are the first of them."""

    status: Status
    message: str
    count: int
    rows: list[int]


class CorrectionObject(TypedDict):
    """A cell of the file whose text was replaced on the page before the checks; the file is left as it is."""

    row: int
    column: str
    before: str
    after: str


class RunObject(ObjectBase):
    """The result of a file.

    `run` is null if no run was begun, `parent` the run that it retries or undoes. `sheet` is the sheet of the
    workbook, `recipe` that by which it was read, `host` the service. `stopped_by` says why the run ended early. `calls`
    counts requests. `results` is the file of results or the check report, `html` and `annotated` the other reports of a
    check, `to_fix` the rows to correct. `next` is the command that continues, `next_args` the same as arguments; null
    if nothing is left to do.
    """

    run: str | None
    parent: str | None
    file: str | None
    sheet: str | None
    recipe: str | None
    host: str | None
    state: RunState
    started: Time | None
    ended: Time | None
    stopped_by: str | None
    rows: int
    counts: dict[Status, int]
    reasons: list[ReasonObject]
    problems: list[ProblemObject]
    corrections: list[CorrectionObject]
    calls: int
    exit_code: ExitCode
    results: str | None
    to_fix: str | None
    html: str | None
    annotated: str | None
    next: str | None
    next_args: list[str] | None


class MatchObject(RunObject):
    """The result of `match`: also the rows by how they were matched."""

    matches: dict[Outcome, int]


class ExportObject(RunObject):
    """The result of `export`: also the ids that are of no customer."""

    unknown: list[str]


FieldChangeObject = TypedDict("FieldChangeObject", {"from": str | None, "to": str, "changed_elsewhere": bool})
"""One field of a customer. `from` is None if it was not saved; `changed_elsewhere`: by others, before the run."""


class ChangeObject(TypedDict):
    """What one run sent of a customer, and by whose login."""

    run: str
    at: Time | None
    by: str
    host: str
    file: str
    status: Status
    fields: dict[str, FieldChangeObject]


class HistoryObject(ObjectBase):
    """The result of `history`."""

    customer_id: str
    changes: list[ChangeObject]
