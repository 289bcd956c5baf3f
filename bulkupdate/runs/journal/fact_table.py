"""What is known of each service, by its host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bulkupdate.runs.tenant.facts import Facts, KnownFact
from bulkupdate.store.journal_table import JournalTable

_KEEP = """
INSERT INTO facts (host, name, value, found_at, build_date) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (host, name) DO UPDATE
SET value = excluded.value, found_at = excluded.found_at, build_date = excluded.build_date
"""


class FactTable(JournalTable):
    """The facts of the services."""

    def keep_facts(self, host: str, facts: Facts, now: str) -> None:
        """Keep these facts of a service, found out `now` (ISO 8601, UTC), in place of what was known of the same."""
        known = self.find_facts(host)
        build = facts.get("build_date") or (known["build_date"].value if "build_date" in known else "")
        with self.writing():
            self.connection.executemany(
                _KEEP, [(host, name, json.dumps(value), now, str(build)) for name, value in facts.items()]
            )

    def find_facts(self, host: str) -> Mapping[str, KnownFact]:
        """Return what is known of a service, by the names of the facts."""
        found: list[tuple[Any, ...]] = self.select(
            "SELECT name, value, found_at, build_date FROM facts WHERE host = ?", (host,)
        )
        return {name: KnownFact(json.loads(value), found_at, build) for name, value, found_at, build in found}
