"""The rows of a run: which are to be sent, and what was recorded of each before and after its request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from bulkupdate.customers.models import CheckedRow, ResultLine, Status
from bulkupdate.runs.run_records import UNCONFIRMED, PendingRow, RowOutcome, Run, StatusCounts
from bulkupdate.store.journal_file import JournalFile

_ROWS_AT_A_TIME = 500


def _quote(statuses: Sequence[Status]) -> str:
    return ", ".join(f"'{status.value}'" for status in statuses)


NOT_YET_READ_BACK = "answered 200; not yet read back"
"""The message of a row that was accepted in a run with `--verify`."""

_TO_BE_READ_BACK = f"(status = 'unknown' AND message = '{NOT_YET_READ_BACK}')"
"""The status of the answer does not tell: a 202, or a 200 that says it failed, leaves a row `unknown` too."""

_PENDING = f"status IN ({_quote(UNCONFIRMED)}) AND NOT {_TO_BE_READ_BACK}"
_LINES = (
    "SELECT row, customer_id, status, http_status, attempts, fields, message, finished_at, original"
    " FROM rows JOIN inputs USING (run, row) WHERE run = ?"
)

_NEWER_RUNS = f"""
SELECT u.id, count(DISTINCT mine.customer_id)
FROM rows AS mine
JOIN rows AS other ON other.customer_id = mine.customer_id AND other.may_be_applied = 1 AND other.run != mine.run
JOIN runs AS u ON u.key = other.run AND u.host = ?2
WHERE mine.run = ?1 AND mine.status IN (SELECT value FROM json_each(?3))
AND NOT (mine.status = 'unknown' AND mine.message = '{NOT_YET_READ_BACK}')
AND (other.run > mine.run OR CASE WHEN (SELECT max(sent) FROM rows WHERE run = ?1) > 0
    THEN other.sent > (SELECT min(sent) FROM rows WHERE run = ?1 AND sent > 0)
    ELSE other.finished_at >= (SELECT started FROM runs WHERE key = ?1) END)
GROUP BY u.key ORDER BY u.key DESC
"""  # noqa: S608 - only constants
"""Another run came after this one if it was begun later, or sent the customer after this one had begun to send; of a
run that has not begun to send, only the clock tells."""


class RowTable(JournalFile):
    """The rows of the runs."""

    def tally(self, run: Run) -> StatusCounts:
        """How many rows have which status."""
        with self.translated():
            counted = self.connection.execute(
                "SELECT status, count(*) FROM rows WHERE run = ? GROUP BY status", (run.key,)
            ).fetchall()
        return StatusCounts({Status(status): count for status, count in counted})

    def pending(self, run: Run) -> Iterator[PendingRow]:
        """Yield the rows to be sent, in the order of the file: those not confirmed, but for read-backs outstanding.

        Last come those answered 401 as the run stopped: one of them may be a customer whom the login must not change.
        """
        yield from self._page_rows(run, f"{_PENDING} AND http_status IS NOT 401")
        yield from self._page_rows(run, f"{_PENDING} AND http_status = 401")

    def count_newer_runs(self, run: Run, statuses: Sequence[Status]) -> list[tuple[str, int]]:
        """Return the runs that have sent, since this one began, customers whose rows here have one of these statuses.

        Each is its id and how many of these customers; the newest first.
        """
        values = (run.key, run.host, json.dumps(list(statuses)))
        return [(run_id, customers) for run_id, customers in self.select(_NEWER_RUNS, values)]

    def count_pending(self, run: Run) -> int:
        """Return how many rows are to be sent."""
        return self._count(run, _PENDING)

    def has_only_refused_rows(self, run: Run) -> bool:
        """Return whether there are rows to be sent, and all of them were answered 401."""
        refused = self._count(run, f"{_PENDING} AND http_status = 401")
        return refused > 0 and refused == self.count_pending(run)

    def count_awaiting_read_back(self, run: Run) -> int:
        """Return how many rows `--verify` has still to read back."""
        return self._count(run, _TO_BE_READ_BACK)

    def _count(self, run: Run, condition: str) -> int:
        query = f"SELECT count(*) FROM rows WHERE run = ? AND {condition}"  # noqa: S608 - fixed words
        return int(self.select(query, (run.key,))[0][0])

    def awaiting_read_back(self, run: Run) -> Iterator[PendingRow]:
        """Return the rows that the service answered 200 and that `--verify` has still to read back."""
        return self._page_rows(run, _TO_BE_READ_BACK)

    def _page_rows(self, run: Run, condition: str) -> Iterator[PendingRow]:
        last = -1  # rows of a DataFrame count from 0
        query = (
            "SELECT row, customer_id, body, fields, attempts, may_be_applied FROM rows JOIN inputs USING (run, row)"  # noqa: S608 - fixed words
            f" WHERE run = ? AND row > ? AND {condition} ORDER BY row LIMIT {_ROWS_AT_A_TIME}"
        )
        while True:
            with self.translated():
                page = self.connection.execute(query, (run.key, last)).fetchall()
            for row, customer_id, body, fields, attempts, may_be_applied in page:
                yield PendingRow(row, customer_id, body, tuple(fields.split(",")), attempts, bool(may_be_applied))
            if len(page) < _ROWS_AT_A_TIME:
                return
            last = page[-1][0]

    def record(
        self, run: Run, *, outcomes: Sequence[RowOutcome] = (), intents: Sequence[PendingRow] = (), calls: int = 0
    ) -> None:
        """Record in one commit the outcomes of answered rows, and that these others are about to be sent.

        The commit's number in the journal's sequence tells, without a clock, what came after what.
        """
        with self.writing():
            self.connection.execute("UPDATE sequence SET last = last + 1")
            number = self.connection.execute("SELECT last FROM sequence").fetchone()[0]
            self.connection.executemany(
                "UPDATE rows SET status = ?, http_status = ?, attempts = ?, message = ?, finished_at = ?,"
                " may_be_applied = ?, ended = ? WHERE run = ? AND row = ?",
                (
                    (each.status, each.http_status, each.attempts, each.message, each.finished_at,
                     each.may_be_applied, number, run.key, each.row)
                    for each in outcomes
                ),
            )  # fmt: skip
            self.connection.executemany(
                "UPDATE rows SET status = 'unknown', http_status = NULL, message = 'sent, no answer yet',"
                " finished_at = '', may_be_applied = 1, sent = ?, ended = NULL WHERE run = ? AND row = ?",
                ((number, run.key, each.number) for each in intents),
            )
            if calls:
                self.connection.execute("UPDATE runs SET calls = ? WHERE key = ?", (calls, run.key))

    def sequence(self) -> int:
        """Return the number of the last commit in which rows were sent or answered, over all runs."""
        return int(self.select("SELECT last FROM sequence")[0][0])

    def lines(self, run: Run, statuses: Sequence[Status] = tuple(Status)) -> Iterator[ResultLine]:
        """Yield the rows with one of these statuses as the results show them, in the order of the file."""
        with self.translated(), closing(self.connection.cursor()) as cursor:
            cursor.execute(f"{_LINES} AND status IN ({_quote(statuses)}) ORDER BY row", (run.key,))
            while found := cursor.fetchmany(_ROWS_AT_A_TIME):
                yield from (_read_line(columns) for columns in found)

    def find_first_lines(self, run: Run, statuses: Sequence[Status], count: int) -> list[ResultLine]:
        """Return the first rows with something to send and one of these statuses, `count` at most."""
        query = f"{_LINES} AND body IS NOT NULL AND status IN ({_quote(statuses)}) ORDER BY row LIMIT ?"
        return [_read_line(columns) for columns in self.select(query, (run.key, count))]

    def find_lines(self, run: Run, rows: Iterable[int]) -> list[ResultLine]:
        """Return these rows, in the order of the file."""
        query = f"{_LINES} AND row IN (SELECT value FROM json_each(?)) ORDER BY row"  # noqa: S608 - only constants
        return [_read_line(columns) for columns in self.select(query, (run.key, json.dumps(list(rows))))]

    def checked_rows(self, run: Run, statuses: Sequence[Status]) -> Iterator[CheckedRow]:
        """Yield the rows with one of these statuses as they were checked, to be sent by a new run."""
        with self.translated(), closing(self.connection.cursor()) as cursor:
            cursor.execute(
                "SELECT row, customer_id, body, fields, original, may_be_applied FROM rows JOIN inputs USING (run, row)"  # noqa: S608 - fixed words
                f" WHERE run = ? AND body IS NOT NULL AND status IN ({_quote(statuses)}) ORDER BY row",
                (run.key,),
            )
            for row, customer_id, body, fields, original, may_be_applied in cursor.fetchall():
                yield CheckedRow(
                    row, customer_id, Status.NOT_ATTEMPTED, body, tuple(fields.split(",")),
                    tuple(json.loads(original)), may_be_applied=bool(may_be_applied),
                )  # fmt: skip


def _read_line(columns: Sequence[Any]) -> ResultLine:
    row, customer_id, status, http_status, attempts, fields, message, finished_at, original = columns
    names = tuple(name for name in fields.split(",") if name)
    cells = tuple(json.loads(original))
    return ResultLine(row, customer_id, Status(status), http_status, attempts, names, message, finished_at, cells)
