"""The profile of a service: what is known of it, since when, and the settings that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from bulkupdate.clock import format_local_date
from bulkupdate.errors import JournalError
from bulkupdate.runs.tenant.facts import FACT_BY_NAME, FactValue, KnownFact, Step
from bulkupdate.settings import Settings

PROBE_COMMAND = "`bulkupdate doctor --probe CUSTOMER_ID`"
REBUILT = f"The service has changed since it was probed: probe it again. The command: {PROBE_COMMAND}"
_DAY = len("2026-03-01")


@dataclass(frozen=True)
class Profile:
    """What is known of one service."""

    facts: Mapping[str, KnownFact] = field(default_factory=dict)

    def find(self, name: str) -> FactValue | None:
        """Return the value of a fact; None if it is not known."""
        return self.facts[name].value if name in self.facts else None

    @property
    def is_probed(self) -> bool:
        """Whether what only updates can show was found out."""
        return bool(self._probed())

    @property
    def is_outdated(self) -> bool:
        """Whether the server was rebuilt after the probe."""
        build = self.find("build_date")
        return any(fact.build_date != build for fact in self._probed().values() if fact.build_date and build)

    def derive(self, settings: Settings) -> Settings:
        """Return the settings with those that follow from the facts, unless they are set to something."""
        derived: dict[str, Any] = {}
        if self.find("rating_format") in ("name", "code"):
            derived["rating_format"] = self.find("rating_format")
        is_counted = self.find("total_results") in (None, "right")
        if is_counted and self.find("modified_shows") is True and self.find("modified_filter") == "filters":
            derived["trust_modified_filter"] = True
        default = Settings()
        free = {
            name: value
            for name, value in derived.items()
            if name not in settings.given and getattr(settings, name) == getattr(default, name)
        }
        return replace(settings, **free) if free else settings

    def describe(self) -> list[str]:
        """Return what is known that matters to a run, a line for each day on which some of it was found out."""
        days: dict[str, list[str]] = {}
        for name, item in self.facts.items():
            if not isinstance(item.value, list) and (name, item.value) in _SENTENCES:
                day = format_local_date(item.found_at)[:_DAY]
                days.setdefault(day, []).append(f"{_SENTENCES[name, item.value]}.")
        lines = [f"Known since {day}: {' '.join(sentences)}" for day, sentences in sorted(days.items())]
        if self.is_outdated:
            lines.append(REBUILT)
        return lines

    def _probed(self) -> dict[str, KnownFact]:
        return {name: item for name, item in self.facts.items() if FACT_BY_NAME[name].step is Step.PROBE}


_SENTENCES: Mapping[tuple[str, FactValue | None], str] = {
    ("empty_string", "clears"): "<clear> empties a text field of this service",
    ("empty_string", "ignored"): "This service ignores <clear>: it does not empty text fields",
    ("rating_format", "name"): "Ratings are sent by name, as this service refuses codes",
    ("rating_format", "code"): "Ratings are sent by code, as this service refuses names",
    ("rating_format", "neither"): "This service takes ratings neither by name nor by code",
    ("list_filter", "ignored"): "Customers are read one by one, as this service's list ignores ids",
    ("email_filter", "ignored"): "This service's list ignores its e-mail filter",
    ("modified_shows", True): "The list shows who was modified since a time",
    ("modified_shows", False): "The list does not show who was modified since a time",
}


def load_profile(settings: Settings) -> Profile:
    """Return what is known of the service that the settings name, without a request; nothing if they name none.

    A check needs no journal: one that cannot be read stops the run, not the check.
    """
    if not (settings.base_url or settings.server_id or settings.team):
        return Profile()
    from bulkupdate.runs.tenant.profile_store import read_profile  # SQLite and HTTP load slowly

    with suppress(JournalError):
        return read_profile(settings)
    return Profile()
