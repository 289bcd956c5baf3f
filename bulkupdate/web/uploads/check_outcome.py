"""The outcome of the check of an upload, kept beside it as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkupdate.customers.models import Severity
from bulkupdate.customers.problem_summary import ProblemGroup
from bulkupdate.runs.loading.sheet_reading import UsedReading
from bulkupdate.web.json_files import read_json, write_json
from bulkupdate.web.uploads.upload_store import Upload

OUTCOME = "outcome.json"


@dataclass(frozen=True)
class CheckOutcome:
    """The outcome of a check.

    Either the file was refused, with `message` and `remedy`, or it was checked, with the counts of rows.
    `fetch_requests` is the number of requests that it costs to fetch the live values of the rows to send. If customers
    have to be searched first, `search_keys` is the number of keys, and nothing else is known. `matched` says how
    many rows found their customer by a key, empty if by ids; `ids_sha256` is the hash of what was found, and
    `ambiguous` how many rows have several candidates; `key_field` and `key_heading` are those of the `LiveKey`. `used`
    is how the file was read, and `fields` are those that have a column; `revision` is that of the upload.
    `correctable` are the columns whose cells can be corrected, as indexes of `headings`, and `identifying` those that
    identify the customers; `corrections` is how many cells were corrected, `corrections_sha256` the hash of that.
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
    key_field: str = ""
    key_heading: str = ""
    used: UsedReading = field(default_factory=UsedReading)
    revision: int = 0
    fields: tuple[str, ...] = ()
    correctable: tuple[int, ...] = ()
    identifying: tuple[str, ...] = ()
    corrections: int = 0
    corrections_sha256: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the file could not be read at all."""
        return bool(self.message)

    @property
    def has_rows(self) -> bool:
        """Whether its rows were checked: it was not refused, and no customers have to be searched first."""
        return not self.is_refused and not self.search_keys

    @property
    def unchanged(self) -> int:
        """The number of rows with nothing to send."""
        return self.rows - self.to_send - self.invalid


def save_outcome(upload: Upload, **outcome: Any) -> None:
    """Store the outcome of a check: the fields of a `CheckOutcome`, except those with their defaults."""
    empty = {"message": "", "remedy": "", "revision": upload.revision}
    write_json(upload.folder / OUTCOME, empty | outcome)


def save_refusal(upload: Upload, message: str, remedy: str | None) -> None:
    """Store that the file was refused."""
    save_outcome(upload, message=message, remedy=remedy or "")


def save_needed_search(upload: Upload, keys: int) -> None:
    """Store that the customers of this many keys have to be searched before the check."""
    save_outcome(upload, search_keys=keys)


def delete_outcome(folder: Path) -> None:
    """Delete the outcome and its reports, so that the sheet is checked again."""
    (folder / OUTCOME).unlink(missing_ok=True)
    delete_reports(folder)


def delete_reports(folder: Path) -> None:
    """Delete the reports, so that they are written again when they are asked for."""
    for report in folder.glob("check-report*"):
        report.unlink(missing_ok=True)


def read_outcome(upload: Upload) -> CheckOutcome | None:
    """Return the outcome of the check; None until it has ended, or if another version of the program stored it."""
    stored = read_json(upload.folder / OUTCOME)
    if stored is None or stored.get("revision", 0) != upload.revision:
        return None
    try:
        stored["groups"] = tuple(_read_group(group) for group in stored.get("groups", ()))
        stored["notes"], stored["headings"] = tuple(stored.get("notes", ())), tuple(stored.get("headings", ()))
        stored["fields"] = tuple(stored.get("fields", ()))
        stored["correctable"] = tuple(stored.get("correctable", ()))
        stored["identifying"] = tuple(stored.get("identifying", ()))
        stored["used"] = UsedReading(**stored.get("used", {}))
        return CheckOutcome(**stored)
    except (TypeError, KeyError, ValueError):
        return None


def _read_group(stored: dict[str, Any]) -> ProblemGroup:
    return ProblemGroup(
        **{**stored, "severity": Severity(stored["severity"]), "first_rows": tuple(stored["first_rows"])}
    )
