"""Goal 19: sending at 200 ms an answer with 8 in flight, journal and quota in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from benchmarks.delayed_server import serve_delayed
from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.sending import send_with_ours
from bulkupdate.redaction import Secret
from tests.postgres import find_program, run_postgres

LATENCY_SECONDS, CONCURRENCY = 0.2, 8


def measure(size: Size, _folder: Path) -> list[Figure]:
    """The share of rows × latency ÷ concurrency, beside that with files. Raises `RuntimeError` without PostgreSQL."""
    if find_program("initdb") is None:
        raise RuntimeError("PostgreSQL is not installed")
    rows = size.slow_sent_rows
    ideal = rows * LATENCY_SECONDS / CONCURRENCY
    with run_postgres() as postgres, serve_delayed(LATENCY_SECONDS) as base_url:

        def share(database: Secret) -> float:
            return ideal / send_with_ours(base_url, rows, CONCURRENCY, database).seconds

        contenders = {"PostgreSQL": lambda: share(postgres.make_database()), "files": lambda: share(Secret(""))}
        shares = interleave(size.repeats, contenders)
    return [
        Figure(
            19,
            f"sending with PostgreSQL ÷ rows × latency ÷ concurrency, 200 ms × {CONCURRENCY}, {rows:,} rows",
            shares["PostgreSQL"],
            least=0.95,
            beside=f"with files {shares.say('files', '')}",
            limit="A commit takes a round trip to the database for each statement.",
        )
    ]


if __name__ == "__main__":
    run_program(measure)
