"""What `doctor --restore` says of a customer that is not as before, and when the probe has ended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.tenant.probe_run import RESTORE, end_probe
from bulkupdate.runs.tenant.probe_steps import TEXT
from bulkupdate.runs.undo_sheet import Restoration

BEFORE: LiveCustomer = {"Comments": "old", "Rating": 4, "BusinessAliases": ("A", "B")}
RESTORED = Restoration(2, "7", {"Comments": TEXT}, BEFORE, {"Comments": [TEXT, ""], "BusinessAliases": [("A",)]})
GONE = "customer 7 does not exist any more. Should it come back: `bulkupdate undo r1 --run`"


def end(now: LiveCustomer | None, aliases: str = "replace") -> tuple[list[str], list[RunState]]:
    """What is said of customer 7, which is so now, and the states that the probe got."""
    states: list[RunState] = []
    context: Any = SimpleNamespace(
        client=SimpleNamespace(read_customer=lambda _id: now),
        profile=SimpleNamespace(find=lambda name: aliases if name == "aliases" else None),
        journal=SimpleNamespace(set_state=lambda _run, state: states.append(state)),
    )
    run: Any = SimpleNamespace(id="r1")
    return end_probe(run, [RESTORED], context, "bulkupdate undo r1 --force"), states


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (BEFORE, []),
        (None, [GONE]),
        (
            BEFORE | {"Comments": "an edit"},
            [
                "customer 7 is not as before in Comments: left as it is. To overwrite Comments: "
                "`bulkupdate undo r1 --force`"
            ],
        ),
        (BEFORE | {"Rating": 5}, ["customer 7 is not as before in Rating: left as it is."]),
    ],
    ids=["as before", "gone", "edited", "another field edited"],
)
def test_a_probe_ends_if_nothing_of_it_is_left_that_can_be_put_back(now: LiveCustomer | None, left: list[str]) -> None:
    assert end(now) == (left, [RunState.FINISHED])


def test_a_probe_does_not_end_while_something_of_it_is_left() -> None:
    left = [f"customer 7 is not as before in Comments. {RESTORE}"]
    assert end(BEFORE | {"Comments": TEXT}) == (left, [])


def test_aliases_that_can_only_be_added_to_are_left_as_they_are() -> None:
    now = BEFORE | {"BusinessAliases": ("A",)}
    assert end(now) == ([f"customer 7 is not as before in BusinessAliases. {RESTORE}"], [])
    said, states = end(now, aliases="append")
    assert said == ["customer 7 is not as before in BusinessAliases: left as it is."]
    assert states == [RunState.FINISHED]
