"""What a search for the customers of an upload needs and has found, kept beside the upload as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FindCustomers, FoundCustomers
from bulkupdate.runs.matching.matches import Candidate
from bulkupdate.runs.matching.search import require_searchable
from bulkupdate.web.upload_store import read_json, write_json

_WANTED = "wanted.json"
_FOUND = "found.json"


class SearchNeededError(Exception):
    """The customers of these keys have to be searched first. Stays within the check of an upload."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def read_wanted(folder: Path) -> list[str]:
    """Return the normalised keys that are to be searched; empty if there are none."""
    return list((read_json(folder / _WANTED) or {}).get("keys", ()))


def save_found(
    folder: Path, keys: Sequence[str], customers: Mapping[str, Sequence[Candidate]], notes: Sequence[str]
) -> None:
    """Keep the customers found for these keys, and what the user should know of the search."""
    found = {text: [astuple(candidate) for candidate in candidates] for text, candidates in customers.items()}
    write_json(folder / _FOUND, {"keys": list(keys), "found": found, "notes": list(notes)})


def forget_found(folder: Path) -> None:
    """Forget what was found, as for another key."""
    (folder / _FOUND).unlink(missing_ok=True)


def find_in(folder: Path) -> FindCustomers:
    """Return a function that finds customers among those found; it raises `SearchNeededError` for other keys."""

    def find(key: Key, keys: Sequence[str]) -> FoundCustomers:
        if not keys:
            return FoundCustomers({})
        require_searchable(key)
        kept = read_json(folder / _FOUND) or {"keys": ()}
        if not set(keys) <= set(kept["keys"]):
            write_json(folder / _WANTED, {"keys": list(keys)})
            raise SearchNeededError(len(keys))
        found = {text: tuple(Candidate(*texts) for texts in each) for text, each in kept["found"].items()}
        return FoundCustomers(found, tuple(kept["notes"]))

    return find
