"""The result of parsing a cell: its value, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bulkupdate.customers.models import Finding, Severity
from bulkupdate.customers.problem_codes import ProblemCode

Value = str | int | bool | Decimal | tuple[str, ...]
"""What a parsed cell holds: a rating is its code, aliases are a tuple; None instead means a blank cell."""


@dataclass(frozen=True, slots=True)
class ParsedValue:
    """A parsed cell. `value` is None for a blank cell, and if a finding is an error."""

    value: Value | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether an error keeps the row from being sent."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def error_result(code: ProblemCode, message: str = "", remedy: str = "") -> ParsedValue:
    """Return the result of a cell that keeps its row from being sent; see `Finding.error`."""
    return ParsedValue(findings=(Finding.error(code, message, remedy),))


def quote(text: str) -> str:
    """Return a cell's text for a sentence: on one line, in quotation marks, cut if it is long."""
    shown = " ".join(text.split())
    return f"“{shown[:60]}…”" if len(shown) > 60 else f"“{shown}”"
