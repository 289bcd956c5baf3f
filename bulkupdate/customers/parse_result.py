"""A cell as read: its value, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bulkupdate.customers.models import Severity

Value = str | int | bool | Decimal | tuple[str, ...]
"""What a cell holds once read: a rating is its code, the aliases are a tuple, `None` beside it means a blank cell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong or doubtful with a text, without its place: see `Problem` for the words."""

    code: str
    message: str
    remedy: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class ParsedValue:
    """A cell as read. `value` is None for a blank cell, and where a finding is an error."""

    value: Value | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether an error keeps the row from being sent."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def error_result(code: str, message: str, remedy: str) -> ParsedValue:
    """A cell that keeps its row from being sent."""
    return ParsedValue(findings=(Finding(code, message, remedy),))


def warning(code: str, message: str, remedy: str) -> Finding:
    """Something doubtful that goes through."""
    return Finding(code, message, remedy, Severity.WARNING)


def quote(text: str) -> str:
    """A cell's text inside a sentence: one line, cut where it is long."""
    shown = " ".join(text.split())
    return f"“{shown[:60]}…”" if len(shown) > 60 else f"“{shown}”"
