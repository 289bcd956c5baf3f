"""The results of searches for customers so far, so that a stopped search can be continued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bulkupdate.store.journal_table import JournalTable


class Hit(NamedTuple):
    """A customer that has the key searched; the texts are as the list shows them, empty if there is none."""

    wanted: str
    customer_id: str
    name: str
    business_name: str
    email: str


_HITS = "SELECT wanted, customer_id, name, business_name, email FROM search_hits WHERE search = ?"


@dataclass(frozen=True)
class SearchRecord:
    """A search as recorded in the journal; new if it has no steps.

    `begun` is in seconds since 1970. `total` is how many customers the service has, None if that is not known. `steps`
    are the requests that were answered, with the number of customers in each answer; `hits` are what they found.
    """

    key: int
    begun: float
    is_finished: bool = False
    total: int | None = None
    steps: Mapping[str, int] = field(default_factory=dict)
    hits: tuple[Hit, ...] = ()


class SearchTable(JournalTable):
    """Searches, each identified by its account, the field searched, and a digest of the keys."""

    def begin_search(self, account: str, field_name: str, digest: str, now: float) -> SearchRecord:
        """Return the search of these keys, a new one if there is none. `now` is in seconds since 1970."""
        identity = (account, field_name, digest)
        find = "SELECT key, begun, is_finished, total FROM searches WHERE account = ? AND field = ? AND digest = ?"
        with self.writing():
            found = self.connection.execute(find, identity).fetchone()
            if found is None:
                insert = "INSERT INTO searches (account, field, digest, begun) VALUES (?, ?, ?, ?) RETURNING key"
                return SearchRecord(self.connection.execute(insert, (*identity, now)).fetchone()[0], now)
        key, begun, is_finished, total = found
        steps = dict(self.select("SELECT step, count FROM search_steps WHERE search = ?", (key,)))
        hits = tuple(Hit(*columns) for columns in self.select(_HITS, (key,)))
        return SearchRecord(key, begun, bool(is_finished), total, steps, hits)

    def record_search(self, key: int, total: int | None, steps: Iterable[tuple[str, int]], hits: Iterable[Hit]) -> None:
        """Record answered requests, with the number of customers in each, and what they found, in one commit."""
        with self.writing():
            self.connection.execute("UPDATE searches SET total = ? WHERE key = ?", (total, key))
            self.connection.executemany(
                "INSERT INTO search_steps (search, step, count) VALUES (?, ?, ?)"
                " ON CONFLICT (search, step) DO UPDATE SET count = excluded.count",
                ((key, step, count) for step, count in steps),
            )
            self.connection.executemany(
                "INSERT INTO search_hits (search, wanted, customer_id, name, business_name, email)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (search, wanted, customer_id)"
                " DO UPDATE SET name = excluded.name, business_name = excluded.business_name, email = excluded.email",
                ((key, *hit) for hit in hits),
            )

    def restart_search(self, key: int, now: float) -> None:
        """Delete what a search has found. `now` is in seconds since 1970."""
        with self.writing():
            self.connection.execute("DELETE FROM search_steps WHERE search = ?", (key,))
            self.connection.execute("DELETE FROM search_hits WHERE search = ?", (key,))
            self.connection.execute(
                "UPDATE searches SET is_finished = 0, total = NULL, begun = ? WHERE key = ?", (now, key)
            )

    def finish_search(self, key: int) -> None:
        """Record that a search is complete."""
        with self.writing():
            self.connection.execute("UPDATE searches SET is_finished = 1 WHERE key = ?", (key,))

    def delete_searches(self, before: float) -> None:
        """Delete the searches begun before that time (seconds since 1970)."""
        if self.select("SELECT 1 FROM searches WHERE begun < ? LIMIT 1", (before,)):
            with self.writing():
                self.connection.execute("DELETE FROM searches WHERE begun < ?", (before,))
