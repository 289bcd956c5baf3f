"""What a probe may have left in its customer, and what it may not touch: what others have set."""

from __future__ import annotations

from typing import Any

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.runs.tenant.probe_steps import TEXT, choose_field, list_steps
from bulkupdate.runs.tenant.probe_traces import (
    as_list,
    list_others_changes,
    list_own_changes,
    list_written,
    may_have_left,
)


@pytest.mark.parametrize(
    ("name", "now", "is_own"),
    [
        ("Comments", "bulkupdate probe: x", True), ("Comments", "old", True), ("Comments", "", True),
        ("Comments", None, True), ("Comments", "an edit", False), ("Rating", 3, True), ("Rating", 5, False),
        ("BusinessAliases", ("A",), True), ("BusinessAliases", ("B", "A", "sent"), True), ("BusinessAliases", (), True),
        ("BusinessAliases", ("A", "of others"), False),
    ],
)  # fmt: skip
def test_only_what_the_probe_may_have_sent_is_its_own(name: str, now: object, is_own: bool) -> None:
    before, written = {
        "BusinessAliases": (("A", "B"), [("sent",)]),
        "Rating": (4, [3]),
        "Comments": ("old", ["old", ""]),
    }[name]
    assert may_have_left(name, now, before, written) is is_own  # type: ignore[arg-type]  # values of several types


def test_changes_are_told_apart_by_who_made_them() -> None:
    before = {"Comments": "old", "Rating": 4, "Title": None, "Name": "Anna"}
    now = {"Comments": f"{TEXT}", "Rating": 5, "Title": "Dr.", "Name": "Berta"}
    written = list_written([{"Comments": TEXT}, {"Comments": "", "Rating": 3}, {"Title": "Dr."}])
    assert written == {"Comments": [TEXT, ""], "Rating": [3], "Title": ["Dr."]}
    own = list_own_changes(before, now, written)
    assert own == {"Comments": "old"}, "an empty field is not emptied again, and the rating is another's"
    assert list_others_changes(before, now, own) == ["Rating", "Title", "Name"]
    assert list_own_changes(before, before, written) == {}
    assert [as_list(value) for value in (("a",), ["a"], "a", None)] == [["a"], ["a"], [], []]


@pytest.mark.parametrize(
    ("customer", "field"),
    [
        ({"Comments": "plain", "Title": "Dr."}, "Comments"),
        ({"Comments": "two\nlines", "Title": "Dr."}, "Title"),
        ({"Comments": "Ä", "Title": " x", "Fax": ""}, "Comments"),
        ({"Comments": "half \ud800", "Title": "Ä"}, "Title"),
    ],
)
def test_the_field_to_touch_can_be_put_back(customer: dict[str, str], field: str) -> None:
    assert choose_field(customer) == field


@pytest.mark.parametrize("customer", [{}, {"Comments": "", "Title": None}, {"Fax": "half \ud800"}])
def test_a_customer_without_such_a_field_is_not_probed(customer: dict[str, str | None]) -> None:
    with pytest.raises(UsageError, match="Comments, Title, Fax are all empty"):
        choose_field(customer)  # type: ignore[arg-type]  # texts only


@pytest.mark.parametrize(
    ("customer", "aliases", "values"),
    [
        ({"Rating": 4}, True, [{"Rating": 3}, {"Rating": 4}, {"Rating": 3}]),
        ({"Rating": 3}, True, [{"Rating": 4}, {"Rating": 3}, {"Rating": 4}]),
        ({"Rating": None}, True, []),
        ({"BusinessAliases": ["A", "B"]}, True, [{"BusinessAliases": ("A",)}]),
        ({"BusinessAliases": ["A"]}, True, [{"BusinessAliases": ("bulkupdate probe 1",)}]),
        ({"BusinessAliases": []}, True, []),
        ({"BusinessAliases": ["A", "B"]}, False, []),
    ],
)
def test_each_step_says_what_it_may_set(customer: dict[str, Any], aliases: bool, values: list[dict[str, Any]]) -> None:
    steps = list(list_steps({"Comments": "old", **customer}, aliases=aliases))
    same = {"Comments": "old"}
    expected = [same, same, same, {}, {"Comments": TEXT}, {"Comments": ""}, {"Comments": ""}, *values]
    assert [dict(step.values) for step in steps] == expected
    assert [step.name for step in steps if step.keeps] == [
        "text",
        *(["rating by name"] if "Rating" in str(values) else []),
    ]
