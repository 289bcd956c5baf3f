"""Goal 19: the permits of one quota in PostgreSQL that four processes are granted a second, not one too many."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

from benchmarks.figures import Figure, Size, interleave, run_program
from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.rate_limit import Quota
from tests.postgres import find_program, run_postgres

PROCESSES = 4


def measure(size: Size, _folder: Path) -> list[Figure]:
    """All processes start together and take the whole quota. Raises `RuntimeError` without PostgreSQL."""
    if find_program("initdb") is None:
        raise RuntimeError("PostgreSQL is not installed")
    left: list[int] = []
    with run_postgres() as postgres:

        def grant() -> float:
            database = postgres.make_database()
            seconds = _spend_all(database, size.sent_rows // PROCESSES)
            left.append(_count_free(database, size.sent_rows))
            return size.sent_rows / seconds

        rates = interleave(size.repeats, {"grants": grant})
    return [
        Figure(
            19,
            f"permits of one quota granted a second, {PROCESSES} processes, PostgreSQL",
            rates["grants"],
            least=1_500,
            beside=f"{rates.say('grants', ' a second')}; each is taken and given back when its request has ended",
            limit="Each permit is a row of the database, which one statement takes; all wait for the row of the quota.",
        ),
        Figure(
            19,
            f"permits left of {size.sent_rows:,} after {size.sent_rows:,} were granted",
            max(left, key=abs),
            most=0,
        ),
    ]


def _spend_all(database: Secret, each: int) -> float:
    """Return the seconds from the moment all processes are ready until the last has its permits."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(PROCESSES + 1)
    workers = [context.Process(target=_spend, args=(database.reveal(), each, ready)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    ready.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - started
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a process that takes permits has failed")
    return seconds


def _open_quota(database: Secret, limit: int) -> Quota:
    return Quota(database, "service.example", "user", limit, Clock())


def _spend(database: str, each: int, ready: threading.Barrier) -> None:
    quota, stop = _open_quota(Secret(database), each * PROCESSES), threading.Event()
    ready.wait()
    for _ in range(each):
        permit = quota.spend(stop)
        assert permit is not None
        quota.release(permit, answered=True)
    quota.close()


def _count_free(database: Secret, limit: int) -> int:
    quota = _open_quota(database, limit)
    free = quota.capacity().free
    quota.close()
    assert free is not None
    return free


if __name__ == "__main__":
    run_program(measure)
