"""What `--json` prints of commands that are about no run; the others are in `runs/reporting/json_objects.py`."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from bulkupdate.errors import ExitCode
from bulkupdate.runs.reporting.json_objects import ObjectBase, Time


class EventObject(ObjectBase):
    """One event of `audit`. `about` is the id of a run or sheet, or the user it was done to."""

    at: Time
    event: str
    user: str
    address: str
    about: str


class TemplateObject(ObjectBase):
    """The result of `template`: the file that was written."""

    template: str
    exit_code: ExitCode


class PurgeObject(ObjectBase):
    """The result of `purge`: how many runs and uploads were deleted."""

    purged: int
    uploads: int
    exit_code: ExitCode


class StoreObject(ObjectBase):
    """The result of `store migrate`: how many rows of each table were copied."""

    copied: dict[str, int]


class FindingObject(TypedDict):
    """What one check of `doctor` found."""

    ok: bool
    message: str


class DoctorObject(ObjectBase):
    """The result of `doctor`: one finding for each check.

    Database is there if there is one; folder, mail, webhook and heartbeat with `--nightly`.
    """

    journal: FindingObject
    service: FindingObject
    database: NotRequired[FindingObject]
    folder: NotRequired[FindingObject]
    mail: NotRequired[FindingObject]
    webhook: NotRequired[FindingObject]
    heartbeat: NotRequired[FindingObject]
    exit_code: ExitCode


class FactsObject(ObjectBase):
    """The result of `doctor --facts`, `--probe` or `--restore`: what is known of the service, and the probe's run."""

    run: str | None
    facts: NotRequired[dict[str, object]]
    calls: NotRequired[int]
    report: NotRequired[str | None]
    exit_code: ExitCode


class RecipeObject(ObjectBase):
    """A recipe as `recipes` lists it (`user` is null if it is for everyone), saves it (`path`) or shows it (`text`)."""

    name: str
    user: NotRequired[str | None]
    path: NotRequired[str]
    headings: NotRequired[list[str]]
    text: NotRequired[str]


class DeletedRecipeObject(ObjectBase):
    """The result of `recipes delete`: the name of the recipe."""

    deleted: str
