"""The tables of the journal, and the migrations from those of older versions."""

from __future__ import annotations

VERSION = 8

TABLES = """
CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    host TEXT NOT NULL,
    username TEXT NOT NULL,
    headings TEXT NOT NULL,
    options TEXT NOT NULL,
    settings TEXT NOT NULL,
    results_path TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL DEFAULT '',
    stopped_by TEXT NOT NULL DEFAULT '',
    calls INTEGER NOT NULL DEFAULT 0,
    -- The journal's sequence when the run was recorded; NULL if an older version did that.
    begun INTEGER,
    -- The machine that sent it last, and who has asked it to stop, each empty if there is none.
    machine TEXT NOT NULL DEFAULT '',
    stop_asked TEXT NOT NULL DEFAULT ''
);
CREATE INDEX runs_of_a_file ON runs (sha256);
-- What was read and checked: written once, before the first request.
CREATE TABLE inputs (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    body TEXT,
    fields TEXT NOT NULL,
    original TEXT NOT NULL,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
-- What happened to it: a small row, written before and after its request.
CREATE TABLE rows (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL,
    http_status INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    finished_at TEXT NOT NULL DEFAULT '',
    -- Whether a request of it was, or may have been, applied.
    may_be_applied INTEGER NOT NULL DEFAULT 0,
    -- The commits, in the journal's sequence, of its last intent (0: never sent) and outcome (NULL: outstanding).
    sent INTEGER NOT NULL DEFAULT 0,
    ended INTEGER,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
CREATE INDEX rows_of_a_customer ON rows (customer_id) WHERE may_be_applied = 1;
CREATE TABLE sequence (last INTEGER NOT NULL);
INSERT INTO sequence VALUES (0);
CREATE TABLE problems (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    heading TEXT NOT NULL,
    value TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    severity TEXT NOT NULL
);
CREATE INDEX problems_of_a_run ON problems (run);
-- The live values of the fields about to be changed, kept for undo; null is a field that was empty.
CREATE TABLE snapshots (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    before TEXT NOT NULL,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
-- Values of the file that a fetch found live already: confirmed without being sent.
CREATE TABLE seen (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    body TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    -- It was read between these commits of the journal's sequence.
    begun INTEGER NOT NULL DEFAULT 0,
    ended INTEGER,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
CREATE INDEX seen_of_a_customer ON seen (customer_id);
"""

_SEARCH_TABLES = """
-- Searches for customers by another key than their id, kept for some hours so that none is repeated.
CREATE TABLE searches (
    key INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    field TEXT NOT NULL,
    digest TEXT NOT NULL,
    begun REAL NOT NULL,
    total INTEGER,
    is_finished INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, field, digest)
);
-- The requests that were answered, with the number of customers in each answer.
CREATE TABLE search_steps (
    search INTEGER NOT NULL REFERENCES searches (key) ON DELETE CASCADE,
    step TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (search, step)
) WITHOUT ROWID;
CREATE TABLE search_hits (
    search INTEGER NOT NULL REFERENCES searches (key) ON DELETE CASCADE,
    wanted TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    name TEXT NOT NULL,
    business_name TEXT NOT NULL,
    email TEXT NOT NULL,
    PRIMARY KEY (search, wanted, customer_id)
) WITHOUT ROWID;
"""

_FACT_TABLE = """
-- What is known of a service: JSON values, each with the date of the server's build when it was found out.
CREATE TABLE facts (
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    found_at TEXT NOT NULL,
    build_date TEXT NOT NULL,
    PRIMARY KEY (host, name)
) WITHOUT ROWID;
"""
_METRIC_TABLE = """
-- The figures of the last night of each folder, as JSON.
CREATE TABLE night_metrics (folder TEXT PRIMARY KEY, metrics TEXT NOT NULL) WITHOUT ROWID;
"""
_CORRECTION_TABLE = """
-- The cells of the file whose texts were replaced before the checks.
CREATE TABLE corrections (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    heading TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (run, row, heading)
) WITHOUT ROWID;
"""
TABLES += _SEARCH_TABLES + _FACT_TABLE + _METRIC_TABLE + _CORRECTION_TABLE

LOCK_EPOCHS = "CREATE TABLE lock_epochs (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL)"
"""How often each lock was taken; only where several hosts share the journal."""

_FROM_1 = """
ALTER TABLE rows ADD COLUMN may_be_applied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rows ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rows ADD COLUMN ended INTEGER;
ALTER TABLE seen ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE seen ADD COLUMN ended INTEGER;
-- A first attempt that was refused looks like a later one: a killed attempt was not counted.
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
CREATE INDEX rows_of_a_customer ON rows (customer_id) WHERE may_be_applied = 1
"""
"""Version 1 had no sequence, only clock times that may be wrong, and the order of the runs. An event spans both of its
positions, by run and by time: events on which the two orders disagree overlap, so none of them is trusted."""

_FROM_7 = """
ALTER TABLE runs ADD COLUMN machine TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN stop_asked TEXT NOT NULL DEFAULT ''
"""

MIGRATIONS = {
    1: _FROM_1,
    2: _SEARCH_TABLES,
    3: _FACT_TABLE,
    4: "ALTER TABLE runs ADD COLUMN begun INTEGER",
    5: _METRIC_TABLE,
    6: _CORRECTION_TABLE,
    7: _FROM_7,
}
"""The statements that lead from a version to the next."""
