"""Replacements that repair all cells with the same kind of problem, if their user asks for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.text import pluralize

_GROUPED = re.compile(r"([0-9]{1,3})([,.' \u00a0\u202f])([0-9]{3}(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]+))?")
_PERCENT = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*%")
_COMMA = re.compile(r"([0-9]+),([0-9]+)")
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2028\u2029\u2060\ufeff]")


@dataclass(frozen=True)
class Repair:
    """A replacement; `label` has a place for the number of cells. `apply` returns None for a text that does not fit."""

    name: str
    label: str
    apply: Callable[[str], str | None]


def _use_point(text: str) -> str | None:
    found = _COMMA.fullmatch(text.strip())
    return f"{found[1]}.{found[2]}" if found else None


def _join_thousands(text: str) -> str | None:
    found = _GROUPED.fullmatch(text.strip())
    if found is None:
        return None
    whole = found[1] + found[3].replace(found[2], "")
    return f"{whole}.{found[4]}" if found[4] else whole


def _drop_percent(text: str) -> str | None:
    found = _PERCENT.fullmatch(text.strip())
    return found[1].replace(",", ".") if found else None


def _divide_percent(text: str) -> str | None:
    number = _drop_percent(text)
    return None if number is None else f"{(Decimal(number) / 100).normalize():f}"


def _drop_invisible(text: str) -> str:
    return _INVISIBLE.sub("", _BLANKS.sub(" ", text))


BLANK = Repair("blank", "Leave {cells} blank: no change there", lambda text: "" if text else None)
_REPAIRS = {
    ProblemCode.DECIMAL_MARK: (Repair("point", "Replace the decimal comma in {cells}", _use_point),),
    ProblemCode.THOUSANDS_SEPARATOR: (
        Repair("thousands", "Leave out the thousands separator in {cells}", _join_thousands),
    ),
    ProblemCode.PERCENT: (
        Repair("percent", "Leave out the percent sign in {cells}", _drop_percent),
        Repair("hundredth", "Write a hundredth in {cells}", _divide_percent),
    ),
    ProblemCode.UNSEEN_CHARACTER: (
        Repair("invisible", "Take out the invisible characters in {cells}", _drop_invisible),
    ),
}


@dataclass(frozen=True)
class RepairOffer:
    """A repair with the number of cells that it changes, and the first different texts before and after."""

    repair: Repair
    cells: int
    examples: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """What is done, and in how many cells."""
        return self.repair.label.format(cells=pluralize(self.cells, "cell"))


def list_repairs(code: str, *, may_be_blank: bool) -> tuple[Repair, ...]:
    """Return the repairs of problems of this kind; `may_be_blank`: a blank cell of the column means no change."""
    found = next((repairs for known, repairs in _REPAIRS.items() if known == code), ())
    return (*found, BLANK) if may_be_blank else found


def offer_repair(repair: Repair, texts: Iterable[str], examples: int = 3) -> RepairOffer:
    """Return what a repair does with the texts of these cells."""
    count, shown = 0, dict[str, str]()
    for text in texts:
        after = repair.apply(text)
        if after is not None and after != text:
            count += 1
            if len(shown) < examples:
                shown[text] = after
    return RepairOffer(repair, count, tuple(shown.items()))
