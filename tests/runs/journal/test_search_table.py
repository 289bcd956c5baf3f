"""A search is recorded request by request, so that it can be continued."""

from __future__ import annotations

from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.search_table import Hit
from tests.postgres import place_of

HIT = Hit("a@x.com", "7", "Ann", "Ann Ltd", "A@X.com")


def test_a_search_is_found_again_with_its_total_its_steps_and_its_hits(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        begun = journal.begin_search("here", "Email", "digest", 1000.0)
        assert (begun.begun, begun.is_finished, begun.total, begun.steps, begun.hits) == (1000.0, False, None, {}, ())
        journal.record_search(begun.key, 230, [("page 1", 50), ("page 2", 49)], [HIT])
        journal.record_search(begun.key, 231, [("page 2", 50)], [HIT._replace(name="Anna")])
        again = journal.begin_search("here", "Email", "digest", 2000.0)
        assert (again.key, again.begun, again.total) == (begun.key, 1000.0, 231)
        assert again.steps == {"page 1": 50, "page 2": 50}
        assert again.hits == (HIT._replace(name="Anna"),)
        journal.finish_search(begun.key)
        assert journal.begin_search("here", "Email", "digest", 2000.0).is_finished


def test_a_search_that_is_restarted_has_found_nothing(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        key = journal.begin_search("here", "Email", "digest", 1000.0).key
        journal.record_search(key, 230, [("page 1", 50)], [HIT])
        journal.finish_search(key)
        journal.restart_search(key, 3000.0)
        again = journal.begin_search("here", "Email", "digest", 4000.0)
        assert (again.begun, again.is_finished, again.steps, again.hits) == (3000.0, False, {}, ())


def test_other_keys_fields_and_accounts_are_other_searches(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        identities = [("here", "Email", "d"), ("there", "Email", "d"), ("here", "Name", "d"), ("here", "Email", "e")]
        assert len({journal.begin_search(*identity, 1000.0).key for identity in identities}) == len(identities)
