"""The outcome of the check of an upload, kept beside it as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkupdate.customers.models import Severity
from bulkupdate.customers.problem_summary import ProblemGroup
from bulkupdate.web.upload_store import read_json, write_json

OUTCOME = "outcome.json"


@dataclass(frozen=True)
class CheckOutcome:
    """The outcome of a check.

    Either the file was refused, with `message` and `remedy`, or it was checked, with the counts of rows.
    `fetch_requests` is the number of requests that it costs to fetch the live values of the rows to send. If customers
    have to be searched first, `search_keys` is by how many keys, and nothing else is known. `matched` says how
    many rows found their customer by a key, empty if by ids; `ids_sha256` is the hash of what was found, and
    `ambiguous` how many rows have several candidates.
    """

    message: str
    remedy: str
    sha256: str = ""
    sheet_name: str = ""
    notes: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: int = 0
    to_send: int = 0
    invalid: int = 0
    fetch_requests: int = 0
    problems: int = 0
    groups: tuple[ProblemGroup, ...] = ()
    search_keys: int = 0
    matched: str = ""
    ids_sha256: str = ""
    ambiguous: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether the file could not be read at all."""
        return bool(self.message)

    @property
    def unchanged(self) -> int:
        """The number of rows with nothing to send."""
        return self.rows - self.to_send - self.invalid


def save_refusal(folder: Path, message: str, remedy: str | None) -> None:
    """Store that the file was refused."""
    write_json(folder / OUTCOME, {"message": message, "remedy": remedy or ""})


def save_needed_search(folder: Path, keys: int) -> None:
    """Store that the customers of so many keys have to be searched before the check."""
    write_json(folder / OUTCOME, {"message": "", "remedy": "", "search_keys": keys})


def delete_outcome(folder: Path) -> None:
    """Delete the outcome and its reports, so that the sheet is checked again."""
    (folder / OUTCOME).unlink(missing_ok=True)
    for report in folder.glob("check-report*"):
        report.unlink(missing_ok=True)


def read_outcome(folder: Path) -> CheckOutcome | None:
    """Return the outcome of the check; None until it has ended, or if another version of the program stored it."""
    stored = read_json(folder / OUTCOME)
    if stored is None:
        return None
    try:
        stored["groups"] = tuple(_read_group(group) for group in stored.get("groups", ()))
        stored["notes"], stored["headings"] = tuple(stored.get("notes", ())), tuple(stored.get("headings", ()))
        return CheckOutcome(**stored)
    except (TypeError, KeyError, ValueError):
        return None


def write_group(group: ProblemGroup) -> dict[str, Any]:
    """Return the group as an object for JSON."""
    names = ProblemGroup.__dataclass_fields__
    return {name: getattr(group, name) for name in names}


def _read_group(stored: dict[str, Any]) -> ProblemGroup:
    return ProblemGroup(
        **{**stored, "severity": Severity(stored["severity"]), "first_rows": tuple(stored["first_rows"])}
    )
