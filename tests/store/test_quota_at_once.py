"""Slots of a quota in PostgreSQL that are taken with one statement, beside transactions that decide more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.rate_limit import Quota
from tests.conftest import wait_until
from tests.postgres import Postgres, find_program, run_postgres

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")

STOP = threading.Event()  # never set


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with run_postgres() as postgres:
        yield postgres


def open_quota(database: Secret, limit: int) -> Quota:
    return Quota(database, "service.example", "user", limit, Clock())


def is_any_waiting(database: Secret) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(database.reveal()) as session:
        return session.execute(query).fetchone() != (0,)


def test_a_permit_waits_for_a_transaction_that_has_read_the_state(postgres: Postgres) -> None:
    database = postgres.make_database()
    with (
        closing(open_quota(database, 10)) as slow,
        closing(open_quota(database, 10)) as quick,
        ThreadPoolExecutor(1) as threads,
    ):
        with slow._store.file.transaction() as state:
            asking = threads.submit(quick.spend, STOP)
            wait_until(lambda: asking.done() or is_any_waiting(database))
            state.used += 5
        assert asking.result() is not None
        assert slow._store.file.read_state().used == 6


def test_hosts_that_take_at_once_get_exactly_the_quota(postgres: Postgres) -> None:
    database, limit = postgres.make_database(), 203

    def take_all(number: int) -> int:
        granted = 0
        with closing(open_quota(database, limit)) as quota:
            while quota.capacity().free:
                answer = quota._store.take(Clock().now(), 1 + number)
                permits = answer if isinstance(answer, list) else []
                for permit in permits:
                    quota.release(permit, answered=True)
                granted += len(permits)
        return granted

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(take_all, range(4))) == limit


def test_no_permit_is_given_at_once_while_the_service_throttles(postgres: Postgres) -> None:
    database = postgres.make_database()
    with closing(open_quota(database, 10)) as quota, closing(open_quota(database, 10)) as other:
        permit = quota.spend(STOP)
        assert permit is not None
        quota.throttle(permit, 0.01)
        probe = other.spend(STOP)
        assert probe is not None
        assert probe.is_probe
        assert quota._store.file.take_at_once(1, 10, Clock().now(), Clock().now() + 60) == []
        other.release(probe, answered=True)
        after = quota.spend(STOP)
        assert after is not None
        assert not after.is_probe
