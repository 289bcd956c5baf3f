"""What is known of a service is said, a line for each day."""

from __future__ import annotations

import pytest

from bulkupdate.runs.tenant.facts import FactValue, KnownFact
from bulkupdate.runs.tenant.profile import Profile

DAY = "2026-03-01T08:00:00Z"


def describe(**facts: FactValue) -> list[str]:
    return Profile({name: KnownFact(value, DAY, "") for name, value in facts.items()}).describe()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"modified_shows": True}, "The list shows who was modified since a time."),
        ({"modified_shows": False}, "The list does not show who was modified since a time."),
        ({"empty_string": "clears"}, "<clear> empties a text field of this service."),
        ({"empty_string": "ignored"}, "This service ignores <clear>: it does not empty text fields."),
        ({"email_filter": "ignored"}, "This service's list ignores its e-mail filter."),
    ],
)
def test_what_matters_to_a_run_is_said(facts: dict[str, FactValue], said: str) -> None:
    assert describe(**facts) == [f"Known since 2026-03-01: {said}"]


def test_what_does_not_matter_is_not_said() -> None:
    assert describe(email_filter="exact", rating_format="both", texts_changed=["a"]) == []
