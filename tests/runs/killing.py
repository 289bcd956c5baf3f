"""Orders for `killed_program.py`, and what must be true after a kill whatever the moment."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.conftest import FIRST, find_puts, read_results, write_sheet
from tests.postgres import database_variable, place_of
from tests.warm import WarmProgram

CONCURRENCY = 4
KILLED = -signal.SIGKILL


class Killer:
    """Runs the program against one sandbox, and kills it."""

    def __init__(self, base_url: str, warm: WarmProgram) -> None:
        self._warm = warm
        self._environment = {
            **os.environ, "BULKUPDATE_BASE_URL": base_url, "BULKUPDATE_USERNAME": "sandbox",
            "BULKUPDATE_PASSWORD": "sandbox", "BULKUPDATE_CONCURRENCY": str(CONCURRENCY), "BULKUPDATE_RETRY_WAIT": "0",
            "BULKUPDATE_TIMEOUT": "2", "BULKUPDATE_MAX_FAILURES": "1000", "BULKUPDATE_MAX_ATTEMPTS": "20",
        }  # fmt: skip

    def call(self, folder: Path, *arguments: object, kill_at: int | None = None) -> int:
        """The exit code; `KILLED` if it came to the event at which it is killed."""
        state = folder / "state"
        environment = self._environment | {"BULKUPDATE_STATE_DIR": str(state)} | database_variable(state)
        return self._warm.call(folder, environment, *arguments, kill_at=kill_at)


@dataclass
class KilledRun:
    """One file, sent by a program that is killed now and then; the sandbox tells what was sent."""

    killer: Killer
    sandbox: Sandbox
    folder: Path
    rows: int
    word: str
    kills: int = 0
    confirmed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.sheet = write_sheet(self.folder / "customers.csv", self.rows, word=self.word)
        self.sandbox.reset_log()

    def begin(self, kill_at: int | None) -> bool:
        """Whether the program came to its end."""
        return self._call(("run", self.sheet, "--yes", "-o", self.folder / "results.csv"), kill_at)

    def resume(self, kill_at: int | None = None) -> bool:
        """Go on, from the beginning where the kill came before the journal knew the run. Whether it came to its end."""
        if not self.statuses():
            assert not find_puts(self.sandbox), "nothing may be sent before the journal knows of it"
            return self.begin(kill_at)
        before, confirmed = len(self.sandbox.requests), self.confirmed
        ended = self._call(("resume",), kill_at)
        again = {int(each) - FIRST + 2 for each in find_puts(self.sandbox, after=before)} & confirmed
        assert not again, f"rows {again} were confirmed, and sent again"
        return ended

    def _call(self, arguments: Sequence[object], kill_at: int | None) -> bool:
        code = self.killer.call(self.folder, *arguments, kill_at=kill_at)
        if code == KILLED:
            self.kills += 1
            self.check_journal()
            return False
        assert code == 0, (self.folder / "err").read_text()
        return True

    def statuses(self) -> dict[int, str]:
        """What the journal says of each row now."""
        return read_statuses(place_of(self.folder / "state"))

    def check_journal(self) -> None:
        """After a kill: what was sent is told as sent, what is told as updated was applied."""
        statuses = self.statuses()
        assert len(statuses) in (0, self.rows), "a run is in the journal with all its rows or not at all"
        counted = Counter(statuses.values())
        assert set(counted) <= {"not attempted", "unknown", "updated"}
        assert counted["unknown"] <= CONCURRENCY
        for each in self.sandbox.requests:
            if each.kind == "write":
                assert statuses[int(each.customer_id) - FIRST + 2] in ("unknown", "updated")
        self.confirmed = {row for row, status in statuses.items() if status == "updated"}
        applied = {int(each.customer_id) - FIRST + 2 for each in self.sandbox.requests if each.applied}
        assert self.confirmed <= applied

    def check_end(self, *, is_calm: bool = True) -> None:
        """After the last resume: every row sent and right, and told so. `is_calm`: the sandbox made no trouble."""
        puts = Counter(find_puts(self.sandbox))
        assert puts.keys() == {str(FIRST + at) for at in range(self.rows)}
        if is_calm:
            assert sum(count - 1 for count in puts.values()) <= CONCURRENCY * self.kills
        for at in range(self.rows):
            customer = self.sandbox.customer(FIRST + at)
            assert customer is not None
            assert (customer["Name"], customer["Email"]) == (f"{self.word} {at}", f"{self.word}-{at}@example.com")
        results = read_results(self.folder / "results.csv")
        assert [line["Row"] for line in results] == [str(at + 2) for at in range(self.rows)]
        assert {line["Status"] for line in results} == {"updated"}
        assert [line["CustomerId"] for line in results] == [str(FIRST + at) for at in range(self.rows)]


def read_statuses(place: Path | Secret) -> dict[int, str]:
    """What a journal says of each row; of none if there is no journal yet."""
    query = "SELECT row, status FROM rows JOIN runs ON runs.key = rows.run WHERE runs.state != 'loading'"
    if isinstance(place, Secret):
        with Journal(place, Clock()) as shared:
            return dict(shared.select(query))
    if not (place / JOURNAL_NAME).exists():
        return {}
    with closing(sqlite3.connect(place / JOURNAL_NAME)) as journal:
        return dict(journal.execute(query).fetchall())
