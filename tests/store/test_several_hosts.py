"""Hosts that share a database: one quota, and runs that another host takes over. The judge is what the service saw."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import find_puts, wait_until, write_sheet
from tests.hosts import CAN_HAVE_HOSTS, Host, make_hosts
from tests.postgres import Postgres, find_program, run_postgres
from tests.runs.test_quota import count_most_in_a_window

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed"),
    pytest.mark.skipif(not CAN_HAVE_HOSTS, reason="only root can make network namespaces"),
]

QUOTA, WINDOW_SECONDS = 300, 60.0
PROCESSES = 4


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with run_postgres(is_reachable=True) as postgres:
        yield postgres


def test_three_hosts_with_four_processes_each_keep_one_quota_and_use_98_percent(
    postgres: Postgres, make_sandbox: Any, tmp_path: Path
) -> None:
    sandbox = make_sandbox(requests_per_hour=QUOTA, window_seconds=WINDOW_SECONDS)
    database, senders = postgres.make_database(), []
    with make_hosts(3) as hosts:
        for host in hosts:
            host.reach(int(sandbox.root_url.rpartition(":")[2]))
            given = {
                "base_url": sandbox.base_url, "database": host.address_of(database, postgres.port),
                "requests_per_hour": QUOTA, "window_seconds": WINDOW_SECONDS,
            }  # fmt: skip
            for number in range(PROCESSES):
                name = f"{host.name}-{number}"
                sheet = write_sheet(tmp_path / f"{name}.csv", 50, first=100_001 + 100 * len(senders))
                program = [
                    sys.executable,
                    "-m",
                    "tests.runs.quota_program",
                    sheet,
                    tmp_path / host.name,
                    json.dumps(given),
                ]
                command = host.command(*program, json.dumps(given))
                senders.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=host.environment()))
        told = [json.loads(sender.communicate(timeout=240)[0]) for sender in senders]
    assert [each["counts"] for each in told] == [{"updated": 50}] * 12
    assert sandbox.counts["throttled"] == 0
    assert count_most_in_a_window(sandbox, WINDOW_SECONDS) <= QUOTA
    times = sorted(each.at for each in sandbox.requests)
    rounds = [later - earlier for earlier, later in zip(times, times[QUOTA:], strict=False)]
    assert WINDOW_SECONDS * len(rounds) / sum(rounds) >= 0.98


def start(host: Host, sandbox: Any, folder: Path, database: str, *call: object) -> subprocess.Popen[str]:
    """Begin a call of the program on a host, which has a state folder of its own."""
    environment = host.environment(
        base_url=sandbox.base_url, username="sandbox", password="sandbox", database=database, timeout=5,
        state_dir=folder / host.name, requests_per_hour=0, concurrency=4,
    )  # fmt: skip
    command = host.command(sys.executable, "-m", "bulkupdate", *call, "--json")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes)


def test_a_run_of_a_host_that_is_gone_is_continued_by_another_within_a_minute(
    postgres: Postgres, make_sandbox: Any, tmp_path: Path
) -> None:
    """The line is cut without a word. When it is back, the first host sends nothing more, not even a second attempt."""
    sandbox = make_sandbox(latency_seconds=0.1)
    sheet, database = write_sheet(tmp_path / "in.csv", 400), postgres.make_database()
    with make_hosts(2) as (here, there):
        for host in (here, there):
            host.reach(int(sandbox.root_url.rpartition(":")[2]))
        addresses = [host.address_of(database, postgres.port) for host in (here, there)]
        first = start(here, sandbox, tmp_path, addresses[0], "run", sheet, "--yes")
        wait_until(lambda: len(find_puts(sandbox)) > 20)
        here.cut()
        cut_at = time.monotonic()
        sent = len(find_puts(sandbox))
        while (second := start(there, sandbox, tmp_path, addresses[1], "resume")).wait(90) == 5:
            assert second.communicate()
            assert time.monotonic() - cut_at < 60
        assert second.returncode == 0, second.communicate()
        begun = min(each.at for each in sandbox.requests[sent:] if each.kind == "token")
        assert begun - time.time() + time.monotonic() - cut_at < 60
        told = json.loads(second.communicate()[0])
        assert told["counts"] == {"updated": 400}
        here.mend()
        _, err = first.communicate(timeout=120)
        assert first.returncode == 4, err
    assert len(find_puts(sandbox)) <= 400 + 4
