"""The report FACTS.json: what is known of a service, without a value of a customer, of the login or of its address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bulkupdate import __version__
from bulkupdate.errors import UsageError
from bulkupdate.files import replace_file
from bulkupdate.runs.tenant.answers import AnswerShape
from bulkupdate.runs.tenant.facts import FACTS, Facts, to_switches
from bulkupdate.runs.tenant.profile import Profile

_FORM = 1


def write_report(path: Path, profile: Profile, shapes: Sequence[AnswerShape], now: str) -> None:
    """Write the facts of the profile and the shapes of the answers (`docs/api.md`, section Report).

    Raises `UsageError` if the file cannot be written.
    """
    facts = {fact.name: profile.facts[fact.name] for fact in FACTS if fact.name in profile.facts}
    report = {
        "form": _FORM,
        "bulkupdate": __version__,
        "written": now,
        "facts": {name: item.value for name, item in facts.items()},
        "found": {name: item.found_at for name, item in facts.items()},
        "answers": [shape.to_json() for shape in shapes],
    }
    with replace_file(path) as stream:
        stream.write(json.dumps(report, indent=1).encode() + b"\n")


def read_switches(path: Path) -> dict[str, Any]:
    """Return the sandbox's options that imitate the service of a report; what it cannot imitate is left out.

    Raises `UsageError` if the file is not a report.
    """
    try:
        report = json.loads(path.read_bytes())
        facts: Facts = report["facts"]
        return to_switches(facts) if report["form"] == _FORM else {}
    except OSError as error:
        raise UsageError(f"The report {path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError(
            f"{path} is not a report of `bulkupdate doctor --report`.",
            remedy="Name the file that it wrote; to write one, a new file.",
        ) from None
