"""Bring journals of older versions to the current schema."""

from __future__ import annotations

import sqlite3

_FROM_1 = """
ALTER TABLE rows ADD COLUMN may_be_applied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rows ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rows ADD COLUMN ended INTEGER;
ALTER TABLE seen ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE seen ADD COLUMN ended INTEGER;
-- A first try that was refused cannot be told from a later one: a killed try was not counted.
UPDATE rows SET may_be_applied = 1, sent = 1 WHERE status IN ('updated', 'unknown', 'failed')
    OR (status = 'rejected' AND attempts > 0) OR (status = 'not attempted' AND (attempts > 0 OR message != ''));
UPDATE rows SET status = 'unknown' WHERE status = 'not attempted' AND attempts > 0 AND coalesce(http_status, 0) != 401;
CREATE TEMP TABLE past AS SELECT kind, run, row,
    row_number() OVER (ORDER BY run, at, row, kind) AS by_run,
    row_number() OVER (ORDER BY at, run, row, kind) AS by_time
    FROM (SELECT 'sent' AS kind, run, row, finished_at AS at FROM rows WHERE may_be_applied = 1 AND finished_at != ''
    UNION ALL SELECT 'seen', run, row, seen_at FROM seen);
CREATE UNIQUE INDEX temp.past_by_row ON past (kind, run, row);
UPDATE rows SET
    sent = (SELECT min(by_run, by_time) FROM past WHERE kind = 'sent' AND past.run = rows.run AND past.row = rows.row),
    ended = (SELECT max(by_run, by_time) FROM past WHERE kind = 'sent' AND past.run = rows.run AND past.row = rows.row)
    WHERE may_be_applied = 1 AND finished_at != '';
UPDATE seen SET
    begun = (SELECT min(by_run, by_time) FROM past WHERE kind = 'seen' AND past.run = seen.run AND past.row = seen.row),
    ended = (SELECT max(by_run, by_time) FROM past WHERE kind = 'seen' AND past.run = seen.run AND past.row = seen.row);
CREATE TABLE sequence (last INTEGER NOT NULL);
INSERT INTO sequence SELECT count(*) + 1 FROM past;
DROP TABLE past;
DROP INDEX rows_of_a_customer;
CREATE INDEX rows_of_a_customer ON rows (customer_id) WHERE may_be_applied = 1;
PRAGMA user_version = 2
"""
"""Version 1 had no sequence, only times of a clock that may have been wrong, and runs that one after another began. An
event spans both of its places, by run and by time: events on which these two disagree overlap, so none is trusted."""


def migrate_from_1(connection: sqlite3.Connection) -> None:
    """Bring a journal of version 1 to version 2, inside the caller's transaction, unless that is done."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == 1:  # another process may have been first
        for statement in _FROM_1.split(";\n"):
            connection.execute(statement)
