"""Take slots of a quota with one statement, which locks nothing but rows: PostgreSQL can, and hosts wait less."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bulkupdate.store.database import Connection

_TAKE = """
WITH counted AS (
    UPDATE allowance SET used = used + ?2
    WHERE id = ?1 AND used + ?2 <= ?3 AND throttled = 0 AND paused_until <= ?4
    RETURNING generation, CAST(extract(epoch FROM clock_timestamp()) AS double precision) - ?5 AS ahead
), ended AS (
    UPDATE spent SET free_at = noted.free_at + ahead
    FROM counted, unnest(CAST(?6 AS bigint[]), CAST(?7 AS double precision[])) AS noted (id, free_at)
    WHERE spent.id = noted.id
), taken AS (
    INSERT INTO spent (allowance, free_at) SELECT ?1, ?8 + ahead FROM counted, generate_series(1, ?2) RETURNING id
)
SELECT id, generation FROM counted, taken
"""
"""The row of `allowance` is locked first, as in every transaction. `ahead` is by how much the database's clock is
ahead, and as much more as the statement has waited: slots come free that much later, never earlier."""


def take_at_once(
    connection: Connection,
    allowance: int,
    count: int,
    limit: int,
    *,
    pause: float,
    free_at: float,
    ended: Sequence[tuple[float, int]],
) -> list[tuple[int, int]]:
    """Take slots until `free_at`, and write when those of `ended` come free; return each number with the generation.

    `pause` is the latest end of a pause that is over, by the database's clock; the other times are by this machine's.
    Nothing is done, and none returned, if fewer are free or the service throttles: then there is more to decide.
    """
    slots, times = [slot for _, slot in ended], [when for when, _ in ended]
    values = (allowance, count, limit, pause, time.time(), slots, times, free_at)
    return connection.execute(_TAKE, values).fetchall()
