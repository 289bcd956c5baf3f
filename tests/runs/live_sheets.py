"""Sheets of what the sandbox's customers hold, with some cells changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.payload import format_value
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST, write_csv

LISTED = ("Name", "Email", "EmailCC", "BusinessName", "IsWholesale", "Rating")

Change = Callable[[int, str, str], str]


def as_cell(name: str, value: object) -> str:
    """A customer's value as the sandbox keeps it, as a person would type it."""
    typed = tuple(value) if isinstance(value, list) else value
    assert typed is None or isinstance(typed, str | int | bool | Decimal | tuple)
    return format_value(FIELD_BY_NAME[name], typed)


def keep(_at: int, _name: str, cell: str) -> str:
    return cell


def write_live_sheet(
    path: Path, sandbox: Sandbox, names: Sequence[str], ats: Iterable[int], change: Change = keep
) -> Path:
    """A row for each customer (counted from 0), each cell what it holds now, but for what `change` makes of it."""
    lines: list[list[object]] = [["CustomerId", *names]]
    for at in ats:
        customer = sandbox.customer(FIRST + at)
        assert customer is not None
        lines.append([FIRST + at, *(change(at, name, as_cell(name, customer[name])) for name in names)])
    return write_csv(path, lines)


def every_tenth(at: int, name: str, cell: str) -> str:
    """The Name of each tenth customer gets another value."""
    return f"New {at}" if name == "Name" and at % 10 == 0 else cell


def count_kinds(sandbox: Sandbox, *, after: int = 0) -> dict[str, int]:
    """How many requests of which kind came after that number of requests."""
    kinds = [each.kind for each in sandbox.requests if each.number > after]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def last_number(sandbox: Sandbox) -> int:
    return max((each.number for each in sandbox.requests), default=0)
