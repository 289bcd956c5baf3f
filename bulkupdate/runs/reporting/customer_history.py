"""The changes that this program made to a customer in all runs, and whether others changed it in between."""

from __future__ import annotations

from dataclasses import dataclass

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.models import Status
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import decode_body, decode_live, format_value
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.diff import is_same
from bulkupdate.runs.reporting.json_objects import ChangeObject, FieldChangeObject


@dataclass(frozen=True)
class FieldChange:
    """One field. `before` is None if the run did not save it.

    `is_changed_elsewhere`: before the run it no longer had the value that the last run had confirmed.
    """

    name: str
    before: str | None
    after: str
    is_changed_elsewhere: bool

    def describe(self) -> str:
        """Return the change in words."""
        before = "not saved" if self.before is None else f"“{self.before}”" if self.before else "empty"
        after = f"“{self.after}”" if self.after else "empty"
        return f"{self.name}: {before} → {after}" + (", changed by others before" if self.is_changed_elsewhere else "")


@dataclass(frozen=True)
class CustomerChange:
    """What one run sent for a customer, and with which login. `at` is ISO 8601 in UTC, empty without an answer."""

    run_id: str
    at: str
    username: str
    host: str
    file: str
    status: Status
    fields: tuple[FieldChange, ...]

    def to_json(self) -> ChangeObject:
        """Return the change for `--json`."""
        fields: dict[str, FieldChangeObject] = {
            field.name: {"from": field.before, "to": field.after, "changed_elsewhere": field.is_changed_elsewhere}
            for field in self.fields
        }
        return {
            "run": self.run_id, "at": self.at or None, "by": self.username, "host": self.host, "file": self.file,
            "status": self.status, "fields": fields,
        }  # fmt: skip


def find_history(journal: Journal, customer_id: str, host: str = "") -> list[CustomerChange]:
    """Return the changes that were, or may have been, made to a customer, in the order they were sent.

    `host` empty: those of any service. Raises `JournalError`.
    """
    confirmed: dict[tuple[str, str], Value] = {}
    changes = []
    for run_id, at, username, its_host, file, status, body, before in journal.find_changes(customer_id):
        if host not in ("", its_host):
            continue
        old = decode_live(before) if before else {}
        fields = []
        for name, value in decode_body(body).items():
            last, field = confirmed.get((its_host, name)), FIELD_BY_NAME[name]
            is_changed = last is not None and name in old and not is_same(last, old[name])
            shown = format_value(field, old[name]) if name in old else None
            fields.append(FieldChange(name, shown, format_value(field, value), is_changed))
            confirmed.pop((its_host, name), None)
            if status == Status.UPDATED:
                confirmed[its_host, name] = value
        changes.append(CustomerChange(run_id, at, username, its_host, file, Status(status), tuple(fields)))
    return changes
