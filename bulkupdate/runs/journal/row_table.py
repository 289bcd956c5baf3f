"""The rows of a run: which are to be sent, and what was recorded before and after the request of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bulkupdate.customers.models import CheckedRow, ResultLine, Status
from bulkupdate.runs.run_records import UNCONFIRMED, NewerRun, PendingRow, RowOutcome, Run, StatusCounts
from bulkupdate.store.journal_table import JournalTable

_ROWS_AT_A_TIME = 500


def _quote_statuses(statuses: Sequence[Status]) -> str:
    return ", ".join(f"'{status.value}'" for status in statuses)


NOT_YET_READ_BACK = "answered 200; not yet read back"
"""The message of a row that was accepted in a run with `--verify`."""

_TO_BE_READ_BACK = f"(status = 'unknown' AND message = '{NOT_YET_READ_BACK}')"
"""The HTTP status does not distinguish them: a 202, or a 200 that reports a failure, leaves a row `unknown` too."""

_PENDING = f"status IN ({_quote_statuses(UNCONFIRMED)}) AND NOT {_TO_BE_READ_BACK}"
_LINE_COLUMNS = "customer_id, status, http_status, attempts, fields, message, finished_at, original"
_LINES = f"SELECT row, {_LINE_COLUMNS} FROM rows JOIN inputs USING (run, row) WHERE run = ?"  # noqa: S608 - fixed words

_NEWER_RUNS = f"""
SELECT u.id, count(DISTINCT mine.customer_id)
FROM rows AS mine
JOIN rows AS other ON other.customer_id = mine.customer_id AND other.may_be_applied = 1 AND other.run != mine.run
JOIN runs AS u ON u.key = other.run AND u.host = ?2
WHERE mine.run = ?1 AND mine.status IN (SELECT value FROM json_each(?3))
AND NOT (mine.status = 'unknown' AND mine.message = '{NOT_YET_READ_BACK}')
AND (other.run > mine.run OR CASE WHEN (SELECT max(sent) FROM rows WHERE run = ?1) > 0
    THEN other.sent > (SELECT min(sent) FROM rows WHERE run = ?1 AND sent > 0)
    ELSE (SELECT CASE WHEN begun IS NULL THEN other.finished_at >= started
        ELSE coalesce(other.ended, other.sent) > begun END FROM runs WHERE key = ?1) END)
GROUP BY u.key ORDER BY u.key DESC
"""  # noqa: S608 - only constants
"""A run is newer if it began later, or sent the customer after this one had begun sending; if this run has not begun
sending, after it was recorded. Only for runs of older versions the clock has to tell."""

_OLDER_RUN = """
WITH touched AS (SELECT customer_id FROM rows WHERE run = ?1 AND may_be_applied = 1
    UNION SELECT customer_id FROM seen WHERE run = ?1)
SELECT u.id FROM runs AS u WHERE u.host = ?2 AND u.key < ?1 AND u.key IN (
    SELECT other.run FROM touched JOIN rows AS other ON other.customer_id = touched.customer_id
    WHERE other.may_be_applied = 1
    UNION SELECT other.run FROM runs AS older JOIN rows AS other ON other.run = older.key
    WHERE older.key < ?1 AND older.state IN ('running', 'stopped')
    AND other.customer_id IN (SELECT customer_id FROM touched))
ORDER BY u.key LIMIT 1
"""
"""An older run that knows less than this one about a customer: it has sent it, or still may."""


class RowTable(JournalTable):
    """The rows of the runs."""

    def tally(self, run: Run) -> StatusCounts:
        """Count the rows by status."""
        counted = self.select("SELECT status, count(*) FROM rows WHERE run = ? GROUP BY status", (run.key,))
        return StatusCounts({Status(status): count for status, count in counted})

    def find_older_run(self, run: Run) -> str | None:
        """Return the oldest run whose values this one may have replaced; None if there is none."""
        found = self.select(_OLDER_RUN, (run.key, run.host))
        return str(found[0][0]) if found else None

    def pending(self, run: Run, last: int | None = None) -> Iterator[PendingRow]:
        """Yield the rows to be sent, in the order of the file: those not confirmed, except outstanding read-backs.

        `last` is the last row of the file to consider, None: all.
        Rows that were answered 401 when the run stopped come last: the login may have no permission for one of them.
        """
        pending = _PENDING if last is None else f"{_PENDING} AND row <= {last:d}"
        yield from self._page_rows(run, f"{pending} AND coalesce(http_status, 0) != 401")
        yield from self._page_rows(run, f"{pending} AND http_status = 401")

    def find_newer_runs(self, run: Run, statuses: Sequence[Status] = UNCONFIRMED) -> list[NewerRun]:
        """Return the runs whose values would be overwritten if rows of this run were sent now, newest first.

        `statuses` are those of the rows to be sent; by default those that `resume` sends.
        """
        values = (run.key, run.host, json.dumps(list(statuses)))
        return [NewerRun(*columns) for columns in self.select(_NEWER_RUNS, values)]

    def count_pending(self, run: Run) -> int:
        """Return how many rows are to be sent."""
        return self._count(run, _PENDING)

    def has_only_refused_rows(self, run: Run) -> bool:
        """Return whether there are rows to be sent, and all of them were answered 401."""
        refused = self._count(run, f"{_PENDING} AND http_status = 401")
        return refused > 0 and refused == self.count_pending(run)

    def count_awaiting_read_back(self, run: Run) -> int:
        """Return how many rows `--verify` still has to read back."""
        return self._count(run, _TO_BE_READ_BACK)

    def _count(self, run: Run, condition: str) -> int:
        query = f"SELECT count(*) FROM rows WHERE run = ? AND {condition}"  # noqa: S608 - fixed words
        return int(self.select(query, (run.key,))[0][0])

    def awaiting_read_back(self, run: Run) -> Iterator[PendingRow]:
        """Yield the rows that the service answered 200 and that `--verify` still has to read back."""
        return self._page_rows(run, _TO_BE_READ_BACK)

    def _page_rows(self, run: Run, condition: str) -> Iterator[PendingRow]:
        for row, customer_id, body, fields, attempts, may_be_applied in self._page(
            run, "customer_id, body, fields, attempts, may_be_applied", condition
        ):
            yield PendingRow(row, customer_id, body, tuple(fields.split(",")), attempts, bool(may_be_applied))

    def _page(self, run: Run, columns: str, condition: str) -> Iterator[tuple[Any, ...]]:
        """Yield the row number and these columns of the rows with a condition, in the order of the file.

        They are read a few hundred at a time, so that memory does not grow with them.
        """
        last = -1  # rows of a DataFrame count from 0
        query = (
            f"SELECT row, {columns} FROM rows JOIN inputs USING (run, row)"  # noqa: S608 - fixed words
            f" WHERE run = ? AND row > ? AND {condition} ORDER BY row LIMIT {_ROWS_AT_A_TIME}"
        )
        while page := self.select(query, (run.key, last)):
            yield from page
            last = page[-1][0]

    def record(
        self, run: Run, *, outcomes: Sequence[RowOutcome] = (), intents: Sequence[PendingRow] = (), calls: int = 0
    ) -> None:
        """Record in one commit the outcomes of answered rows, and the intents of rows about to be sent.

        The commit's number in the journal's sequence gives the order of events without a clock.
        """
        self.home.retried(lambda: self._record(run, outcomes, intents, calls))

    def _record(self, run: Run, outcomes: Sequence[RowOutcome], intents: Sequence[PendingRow], calls: int) -> None:
        with self.writing():
            number = self._record_outcomes(run, outcomes)
            self.connection.executemany(
                "UPDATE rows SET status = 'unknown', http_status = NULL, message = 'sent, no answer yet',"
                " finished_at = '', may_be_applied = 1, sent = ?, ended = NULL WHERE run = ? AND row = ?",
                ((number, run.key, intent.number) for intent in intents),
            )
            if calls:
                self.connection.execute("UPDATE runs SET calls = ? WHERE key = ?", (calls, run.key))

    def _record_outcomes(self, run: Run, outcomes: Sequence[RowOutcome]) -> int:
        """Record outcomes in the current transaction; return its number in the sequence."""
        number = int(self.connection.execute("UPDATE sequence SET last = last + 1 RETURNING last").fetchone()[0])
        self.connection.executemany(
            "UPDATE rows SET status = ?, http_status = ?, attempts = ?, message = ?, finished_at = ?,"
            " may_be_applied = ?, ended = ? WHERE run = ? AND row = ?",
            (
                (outcome.status, outcome.http_status, outcome.attempts, outcome.message, outcome.finished_at,
                 int(outcome.may_be_applied), number, run.key, outcome.row)
                for outcome in outcomes
            ),
        )  # fmt: skip
        return number

    def narrow_rows(self, run: Run, rows: Iterable[PendingRow]) -> None:
        """Record that of these rows, none of which was sent so far, only their present fields will be sent."""
        statement = "UPDATE inputs SET body = ?, fields = ? WHERE run = ? AND row = ?"
        self.execute_in_parts(statement, ((row.body, ",".join(row.fields), run.key, row.number) for row in rows))

    def find_cells(self, run: Run, rows: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return the cells of these rows, in the order of the file's columns."""
        wanted = "SELECT CAST(value AS INTEGER) FROM json_each(?)"
        query = f"SELECT row, original FROM inputs WHERE run = ? AND row IN ({wanted})"  # noqa: S608 - fixed words
        found = self.select(query, (run.key, json.dumps(list(rows))))
        return {row: tuple(json.loads(original)) for row, original in found}

    def sequence(self) -> int:
        """Return the number of the last commit in which rows were sent or answered, over all runs."""
        return int(self.select("SELECT last FROM sequence")[0][0])

    def lines(self, run: Run, statuses: Sequence[Status] = tuple(Status)) -> Iterator[ResultLine]:
        """Yield the rows with one of these statuses as the results show them, in the order of the file."""
        yield from map(_read_line, self._page(run, _LINE_COLUMNS, f"status IN ({_quote_statuses(statuses)})"))

    def messages(self, run: Run, statuses: Sequence[Status]) -> Iterator[ResultLine]:
        """Yield the rows with one of these statuses without their fields and cells, which takes less time."""
        columns = _LINE_COLUMNS.replace("fields", "''").replace("original", "'[]'")
        condition = f"run = ? AND status IN ({_quote_statuses(statuses)})"
        query = f"SELECT row, {columns} FROM rows WHERE {condition} ORDER BY row"  # noqa: S608 - fixed words
        yield from map(_read_line, self.select(query, (run.key,)))

    def page_lines(self, run: Run, statuses: Sequence[Status], skip: int, count: int) -> list[ResultLine]:
        """Return some of the rows with one of these statuses, in the order of the file."""
        query = f"{_LINES} AND status IN ({_quote_statuses(statuses)}) ORDER BY row LIMIT ? OFFSET ?"
        return [_read_line(columns) for columns in self.select(query, (run.key, count, skip))]

    def find_first_lines(self, run: Run, statuses: Sequence[Status], count: int) -> list[ResultLine]:
        """Return the first rows with something to send and one of these statuses, `count` at most."""
        query = f"{_LINES} AND body IS NOT NULL AND status IN ({_quote_statuses(statuses)}) ORDER BY row LIMIT ?"
        return [_read_line(columns) for columns in self.select(query, (run.key, count))]

    def find_lines(self, run: Run, rows: Iterable[int]) -> list[ResultLine]:
        """Return these rows, in the order of the file."""
        query = f"{_LINES} AND row IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) ORDER BY row"  # noqa: S608 - only constants
        return [_read_line(columns) for columns in self.select(query, (run.key, json.dumps(list(rows))))]

    def checked_rows(self, run: Run, statuses: Sequence[Status]) -> Iterator[CheckedRow]:
        """Yield the rows with one of these statuses as they were checked, to be sent by a new run."""
        for row, customer_id, body, fields, original, may_be_applied in self._page(
            run,
            "customer_id, body, fields, original, may_be_applied",
            f"body IS NOT NULL AND status IN ({_quote_statuses(statuses)})",
        ):
            yield CheckedRow(
                row, customer_id, Status.NOT_ATTEMPTED, body, tuple(fields.split(",")),
                tuple(json.loads(original)), may_be_applied=bool(may_be_applied),
            )  # fmt: skip


def _read_line(columns: Sequence[Any]) -> ResultLine:
    row, customer_id, status, http_status, attempts, fields, message, finished_at, original = columns
    names = tuple(name for name in fields.split(",") if name)
    cells = tuple(json.loads(original))
    return ResultLine(row, customer_id, Status(status), http_status, attempts, names, message, finished_at, cells)
