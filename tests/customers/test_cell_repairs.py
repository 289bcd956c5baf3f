"""Replacements of all cells with the same kind of problem."""

from __future__ import annotations

import pytest

from bulkupdate.customers.cell_repairs import list_repairs, offer_repair
from bulkupdate.customers.problem_codes import ProblemCode


@pytest.mark.parametrize(
    ("code", "name", "text", "after"),
    [
        ("decimal-mark", "point", " 2,50 ", "2.50"),
        ("decimal-mark", "point", "1.234,50", None),
        ("thousands-separator", "thousands", "1,234", "1234"),
        ("thousands-separator", "thousands", "1.234.567,50", "1234567.50"),
        ("thousands-separator", "thousands", "1.234,567", "1234.567"),
        ("thousands-separator", "thousands", "1'234\u00a0567", None),
        ("percent", "percent", "5,5 %", "5.5"),
        ("percent", "hundredth", "5 %", "0.05"),
        ("percent", "hundredth", "100%", "1"),
        ("unseen-character", "invisible", "a\u00a0b\u200bc", "a bc"),
        ("email", "blank", "no address", ""),
    ],
)
def test_a_repair_replaces_what_is_certain_and_leaves_the_rest(
    code: str, name: str, text: str, after: str | None
) -> None:
    (repair,) = (each for each in list_repairs(code, may_be_blank=True) if each.name == name)
    assert repair.apply(text) == after


def test_an_offer_counts_the_cells_that_it_changes() -> None:
    (repair,) = list_repairs(ProblemCode.DECIMAL_MARK, may_be_blank=False)
    offer = offer_repair(repair, ["2,5", "2,5", "1.234,5", "3,5"])
    assert (offer.label, offer.examples) == (
        "Replace the decimal comma in 3 cells", (("2,5", "2.5"), ("3,5", "3.5")),
    )  # fmt: skip


def test_an_offer_shows_the_first_three_different_texts() -> None:
    (repair,) = list_repairs(ProblemCode.DECIMAL_MARK, may_be_blank=False)
    offer = offer_repair(repair, [f"{number},5" for number in range(5)])
    assert (offer.cells, [before for before, _ in offer.examples]) == (5, ["0,5", "1,5", "2,5"])
