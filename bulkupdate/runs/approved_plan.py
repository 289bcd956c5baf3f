"""A plan that a user has approved: it allows one file content with the same options, and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.files import check_writable, replace_file
from bulkupdate.network import without_credentials
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.settings import Settings

_KIND = "bulkupdate plan 1"


@dataclass(frozen=True)
class Plan:
    """What is to be sent where, and how. `bodies` is the hash of the rows with their exact bodies.

    `recipe` is the file of the recipe that was used, empty if there was none.
    """

    sha256: str
    service: str
    options: str
    write_policy: str
    rows: int
    bodies: str
    recipe: str = ""


_DIFFERENCES = {
    "sha256": "the file was changed", "service": "the settings name another service",
    "options": "the options differ", "write_policy": "the write policy differs",
    "recipe": "the recipe differs, or was changed",
    "rows": "a different number of rows would be sent", "bodies": "other values would be sent",
}  # fmt: skip


def make_plan(checked_input: CheckedInput, options: RunOptions, settings: Settings) -> Plan:
    """Return the plan to send a file with these options."""
    digest = hashlib.sha256()
    for row in checked_input.rows():
        if row.body is not None:
            digest.update(f"{row.number}\t{row.customer_id}\t{row.body}\n".encode("utf-8", "surrogatepass"))
    limit = {} if options.limit is None else {"limit": options.limit}
    return Plan(
        sha256=checked_input.sha256,
        service=without_credentials(settings.base_url) or settings.server_id or settings.team,
        options=json.dumps(options.to_json() | limit, sort_keys=True),
        write_policy=checked_input.used.write_policy,
        recipe=checked_input.used.recipe_text,
        rows=checked_input.to_send,
        bodies=digest.hexdigest(),
    )


def require_plan_place(path: Path, *, force: bool) -> None:
    """Raise `UsageError` if a plan cannot be written there, or would overwrite another file without `force`."""
    check_writable(path, (".json",))
    if path.exists() and not force and _read(path) is None:
        raise UsageError(f"{path} exists and is not a plan.", remedy="Name another file with --plan, or add --force.")


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan to be approved. Raises `UsageError`."""
    with replace_file(path) as stream:
        stream.write(json.dumps({"kind": _KIND, **asdict(plan)}, indent=1).encode())


def require_approved(path: Path, plan: Plan) -> None:
    """Raise `InputFileError` unless the plan is exactly the one at `path`; `UsageError` if that is not a plan."""
    approved = _read(path)
    if approved is None:
        raise UsageError(f"{path} is not a plan.", remedy="`bulkupdate check FILE --plan PLAN.json` writes one.")
    differing = [field.name for field in fields(Plan) if getattr(plan, field.name) != getattr(approved, field.name)]
    if differing:
        reasons = ", ".join(_DIFFERENCES[name] for name in differing)
        raise InputFileError(
            f"This is not what the plan {path} was made for: {reasons}. Nothing was sent.",
            remedy="Send it as it was approved, or write a new plan with --dry-run and have that approved.",
        )


def _read(path: Path) -> Plan | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Plan(**{key: value for key, value in found.items() if key != "kind"}) if found["kind"] == _KIND else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
