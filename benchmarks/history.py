"""`bulkupdate history`: how long one customer takes in a journal of ten million rows, and in one of a tenth of that."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, Size, run_program
from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.customer_history import find_history

_RUN_ROWS = 100_000
_FIRST = 100_001
_LOOKED_UP = 20


def measure(size: Size, _folder: Path) -> list[Figure]:
    """The slowest of some customers, each in a journal that was just opened, beside the same in a smaller one."""
    most = size.huge_sheet_rows * 10
    seconds = {}
    for rows in (most // 10, most):
        with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as own:
            _fill(Path(own), rows)
            seconds[rows] = max(_time_lookup(Path(own), rows, at) for at in range(_LOOKED_UP))
    return [
        Figure(
            21,
            f"one customer's history among {most:,} rows",
            seconds[most] * 1000,
            " ms",
            most=100,
            beside=f"the slowest of {_LOOKED_UP}, opening the journal included; among {most // 10:,} rows "
            f"{seconds[most // 10] * 1000:.1f} ms",
        )
    ]


def _time_lookup(folder: Path, rows: int, at: int) -> float:
    customers = min(rows, _RUN_ROWS)
    start = time.perf_counter()
    with Journal(folder, Clock(), checks_pages=False) as journal:
        found = find_history(journal, str(_FIRST + at * customers // _LOOKED_UP))
    took = time.perf_counter() - start
    assert len(found) == -(-rows // customers)
    return took


def _fill(folder: Path, rows: int) -> None:
    """Write runs of the same customers straight into the tables: through `run` it would take hours."""
    customers = min(rows, _RUN_ROWS)
    with Journal(folder, Clock()) as journal:
        for key in range(1, -(-rows // customers) + 1):
            with journal.writing():
                journal.connection.execute(
                    "INSERT INTO runs (key, id, file, sha256, host, username, headings, options, settings,"
                    " results_path, state, started)"
                    " VALUES (?, ?, 'a.csv', '', 'host', 'user', '[]', '{}', '{}', '', 'finished', '')",
                    (key, f"run-{key}"),
                )
                journal.connection.executemany(
                    "INSERT INTO rows (run, row, customer_id, status, may_be_applied, sent, ended)"
                    " VALUES (?, ?, ?, 'updated', 1, ?, ?)",
                    ((key, at + 2, str(_FIRST + at), key, key) for at in range(customers)),
                )
                journal.connection.executemany(
                    "INSERT INTO inputs VALUES (?, ?, ?, 'Fax', '[]')",
                    ((key, at + 2, f'{{"Fax": "{key}"}}') for at in range(customers)),
                )


if __name__ == "__main__":
    run_program(measure)
