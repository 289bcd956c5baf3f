"""The table of facts: what can be found out about a service, by which step, and what follows from it.

Report, profile, the README's table and `sandbox --like` are derived from it: a new fact is one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FactValue = bool | int | str | list[str]
Facts = dict[str, FactValue]
"""Values by the names of the facts; one that is not known is left out."""


@dataclass(frozen=True)
class KnownFact:
    """A fact as it is kept: when it was found out (ISO 8601, UTC), and the date of the server's build then."""

    value: FactValue
    found_at: str
    build_date: str


class Step(StrEnum):
    """Which command settles a fact."""

    FACTS = "doctor --facts"
    PROBE = "doctor --probe"
    SIGN_IN = "doctor --probe … --also sign-in"
    ALIASES = "doctor --probe … --also aliases"
    THROTTLE = "the first run that uses up the quota"
    NONE = "no request: ask the service's administrator"


@dataclass(frozen=True)
class Fact:
    """One fact.

    `switch` is the option of the sandbox that imitates it, empty if there is none; `switch_values` are its values by
    those of the fact, None: they are the same. `setting` is the setting that follows from it, empty for none.
    """

    name: str
    question: str
    step: Step
    switch: str = ""
    switch_values: Mapping[str, Any] | None = None
    setting: str = ""

    def to_switch(self, value: FactValue) -> Any:
        """Return the value of the switch; None if the sandbox cannot imitate this value."""
        if self.switch_values is None:
            return value
        return self.switch_values.get(str(value))


NO_PARTS = "finds no parts"
"""Of a filter: whether it finds whole values is not seen, as the list keeps the last customer of each answer back."""

_FILTERS = {"filters": True, "ignored": False}
_TEXT_FILTERS = {name: name for name in ("exact", "case", "contains", "ignored")} | {NO_PARTS: "exact"}

FACTS = (
    Fact("swagger", "Does it describe its API?", Step.FACTS, "swagger"),
    Fact("differences", "Which fields and filters of that description differ from the documented ones?", Step.FACTS),
    Fact("build_date", "When was its server built?", Step.FACTS, "build_date"),
    Fact("token_seconds", "How long does a token live?", Step.FACTS, "token_seconds"),
    Fact("page_size_cap", "How many customers can a page of the list have?", Step.FACTS, "page_size_cap"),
    Fact("list_filter", "Does the list filter by ids?", Step.FACTS, "list_filter", _FILTERS),
    Fact("email_filter", "How does the list filter by e-mail?", Step.FACTS, "email_filter", _TEXT_FILTERS),
    Fact("email_case", "Does upper or lower case matter to that filter?", Step.FACTS),
    Fact("phone_filter", "How does the list filter by phone number?", Step.FACTS, "phone_filter", _TEXT_FILTERS),
    Fact("modified_filter", "Does the list filter by `modifiedOnFrom`?", Step.FACTS, "modified_filter", _FILTERS),
    Fact("total_results", "Is `TotalResults` right?", Step.FACTS, "total_results"),
    Fact("repeat_last_page", "Does it repeat its last page?", Step.FACTS, "repeat_last_page"),
    Fact("kept_back", "Does it count customers that it does not show?", Step.FACTS, "kept_back"),
    Fact("empty_body", "What does an update without fields do?", Step.PROBE),
    Fact("unknown_name", "What does an update with an unknown field name do?", Step.PROBE, "unknown_name"),
    Fact("equal_value", "Is an update to the same value accepted?", Step.PROBE),
    Fact("accepted_body", "What is the body of its answer?", Step.PROBE),
    Fact("modified_shows", "Does an update show up in `modifiedOnFrom`?", Step.PROBE, setting="trust_modified_filter"),
    Fact("texts_changed", "Which of umlaut, emoji, line break and trailing blank does it change?", Step.PROBE),
    Fact("read_delay", "Is an update readable at once?", Step.PROBE),
    Fact("empty_string", 'What does `""` do to a text field?', Step.PROBE, "empty_string"),
    Fact("null_value", "What does `null` do to a text field?", Step.PROBE, "null_value"),
    Fact("rating_format", "Is a rating accepted by name or by code?", Step.PROBE, "rating_format",
         {"name": "name", "code": "code", "both": "both"}, "rating_format"),
    Fact("unknown_customer_status", "Which status does an unknown customer have?", Step.PROBE,
         "unknown_customer_status"),
    Fact("bad_token_status", "Which status does an invalid token have?", Step.PROBE),
    Fact("aliases", "Are aliases replaced or added?", Step.ALIASES, "aliases"),
    Fact("sign_in_refusal_status", "Which status does a wrong login have?", Step.SIGN_IN, "sign_in_refusal_status"),
    Fact("throttle_status", "Which status does a throttle answer have?", Step.THROTTLE, "throttle_status"),
    Fact("throttle_headers", "Which headers does it have?", Step.THROTTLE),
    Fact("throttle_keys", "Which keys does its body have?", Step.THROTTLE),
    Fact("throttle_reset", "Is the quota counted in fixed hours?", Step.THROTTLE, "window",
         {"on the hour": "fixed", "at another time": "rolling"}),
    Fact("wholesale_name", "Do wholesale customers need a business name?", Step.NONE,
         "wholesale_needs_business_name", setting="wholesale_needs_business_name"),
)  # fmt: skip

FACT_BY_NAME = {fact.name: fact for fact in FACTS}


def to_switches(facts: Mapping[str, FactValue]) -> dict[str, Any]:
    """Return the sandbox's options that imitate these facts, by their names."""
    found = {fact.switch: fact.to_switch(facts[fact.name]) for fact in FACTS if fact.switch and fact.name in facts}
    return {name: value for name, value in found.items() if _is_choice(name, value)}


def _is_choice(switch: str, value: Any) -> bool:
    from bulkupdate.sandbox.switches import SandboxOptions  # a check needs the facts, but no sandbox

    option = SandboxOptions.__dataclass_fields__[switch]
    choices = option.metadata["choices"]
    return value in choices if choices else type(value) is type(option.default)
