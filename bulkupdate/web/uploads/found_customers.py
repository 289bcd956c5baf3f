"""The keys and the results of a search for the customers of an upload, stored beside it as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FindCustomers, FoundCustomers
from bulkupdate.runs.matching.matches import Candidate
from bulkupdate.runs.matching.search import require_searchable
from bulkupdate.web.json_files import read_json, write_json

WANTED = "wanted.json"
FOUND = "found.json"


class SearchNeededError(Exception):
    """The customers of these keys have to be searched first. Stays within the check of an upload."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def read_wanted(folder: Path) -> tuple[str, list[str]]:
    """Return the name of the key, and the normalised keys that are to be searched; empty if there are none."""
    wanted = read_json(folder / WANTED) or {}
    return str(wanted.get("key", "")), list(wanted.get("keys", ()))


def save_found(
    folder: Path, keys: Sequence[str], customers: Mapping[str, Sequence[Candidate]], notes: Sequence[str]
) -> None:
    """Store the customers found for these keys besides those found before, and notes about the search for the user."""
    kept = read_json(folder / FOUND) or {"keys": [], "found": {}, "notes": []}
    found = {text: [astuple(candidate) for candidate in candidates] for text, candidates in customers.items()}
    everything = {
        "keys": [*kept["keys"], *keys], "found": {**kept["found"], **found}, "notes": [*kept["notes"], *notes],
    }  # fmt: skip
    write_json(folder / FOUND, everything)


def delete_found(folder: Path) -> None:
    """Delete what was found, which is about another key."""
    (folder / FOUND).unlink(missing_ok=True)


def find_in(folder: Path) -> FindCustomers:
    """Return a function that finds customers among those found; it raises `SearchNeededError` for other keys."""

    def find(key: Key, keys: Sequence[str]) -> FoundCustomers:
        if not keys:
            return FoundCustomers({})
        kept = read_json(folder / FOUND) or {"keys": ()}
        known = set(kept["keys"])
        missing = [text for text in keys if text not in known]
        if missing:
            write_json(folder / WANTED, {"key": key.field.name if key.field else key.name, "keys": missing})
            require_searchable(key)
            raise SearchNeededError(len(missing))
        found = {text: tuple(Candidate(*texts) for texts in candidates) for text, candidates in kept["found"].items()}
        return FoundCustomers(found, tuple(kept["notes"]))

    return find
