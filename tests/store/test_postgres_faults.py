"""A run whose journal is in PostgreSQL, with the database failing or the process killed at an event of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.retention import delete_runs_before
from tests.conftest import FIRST, Program, write_sheet
from tests.postgres import Postgres, find_program, run_postgres
from tests.runs.killing import find_puts

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")

ROWS = 30
EVENTS = 120
BETWEEN = 40
NEVER_AGAIN = 1_000_000

FAULT = """
import os, signal, subprocess, threading, time
import psycopg
from bulkupdate.store.postgres_connection import PostgresConnection

url = os.environ["BULKUPDATE_DATABASE"]
count, lock = 0, threading.Lock()

def terminate():
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid != pg_backend_pid() AND datname = current_database()")

def crash():
    subprocess.run({crash}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def around(real):
    def call(*given):
        global count
        with lock:
            count += count > 0 or "UPDATE sequence" in given[1]  # from the first row on
            is_due, is_later = count > 0 and count % {every} == {at} % {every}, count == {at} + 250
        if is_due:
            {fault}()
        if is_later:
            {later}()
        return real(*given)
    return call

for name in ("execute", "executemany"):
    setattr(PostgresConnection, name, around(getattr(PostgresConnection, name)))
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with run_postgres() as postgres:
        yield postgres


def make_patch(postgres: Postgres, fault: str, at: int, later: str = "int", every: int = NEVER_AGAIN) -> str:
    """Code that does this to the program at an event, and again after so many, and `later` a while after the first."""
    words = {"at": at, "every": every, "fault": fault, "later": later, "crash": repr(postgres.crash)}
    patch = FAULT
    for name, word in words.items():
        patch = patch.replace(f"{{{name}}}", str(word))
    return patch


def run_with_fault(program: Program, sheet: Path, postgres: Postgres, fault: str, at: int) -> tuple[int, str]:
    patch = make_patch(postgres, fault, at, every=NEVER_AGAIN if fault == "kill" else BETWEEN)
    process = program.fork("run", sheet, "--yes", patch=patch, concurrency=4)
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def list_faults() -> Iterator[object]:
    """Every event of the run, which has some 120: a kill at each, the others several in one run."""
    for fault, events in (("terminate", BETWEEN), ("crash", BETWEEN), ("kill", EVENTS)):
        for at in range(1, events + 1):
            yield pytest.param(fault, at, marks=() if at == 20 else pytest.mark.long)


@pytest.mark.parametrize(("fault", "at"), list(list_faults()))
def test_every_row_is_sent_once_whatever_happens(
    run_program: Program, sandbox: Any, postgres: Postgres, tmp_path: Path, fault: str, at: int
) -> None:
    """Sessions that end are replaced, and the run goes on; the run of a process that dies is resumed by another."""
    run_program.environment["BULKUPDATE_DATABASE"] = postgres.make_database().reveal()
    sheet, before = write_sheet(tmp_path / "in.csv", ROWS), len(sandbox.requests)
    code, err = run_with_fault(run_program, sheet, postgres, fault, at)
    if fault == "kill" and code != 0:
        assert code == -9, err
        assert run_program("resume").exit_code == 0
    else:
        assert code == 0, err
    assert run_program("show").counts == {"updated": ROWS}
    assert len(find_puts(sandbox, after=before)) <= ROWS + (4 if fault == "kill" else 0)


def test_old_runs_are_deleted_from_the_database(run_program: Program, postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.make_database()
    run_program.environment["BULKUPDATE_DATABASE"] = database.reveal()
    assert run_program("run", write_sheet(tmp_path / "in.csv", 3), "--yes").exit_code == 0
    with Journal(database, Clock()) as journal:
        assert delete_runs_before(journal, run_program.state, Clock().now() + 10) == 1
        assert journal.runs() == []


@pytest.mark.long
def test_2000_rows_are_sent_whatever_happens_at_twenty_random_moments(
    run_program: Program, make_sandbox: Any, postgres: Postgres, tmp_path: Path
) -> None:
    """Each call of the program meets another fault; what is in flight then may be sent once more, and nothing else."""
    rows, chance = 2000, Random(20)
    sandbox = make_sandbox(customers=rows)
    run_program.environment |= {
        "BULKUPDATE_DATABASE": postgres.make_database().reveal(), "BULKUPDATE_BASE_URL": sandbox.base_url,
    }  # fmt: skip
    call: tuple[object, ...] = ("run", write_sheet(tmp_path / "in.csv", rows), "--yes")
    for _ in range(20):
        patch = make_patch(postgres, chance.choice(("terminate", "crash", "kill")), chance.randrange(1, 120), "kill")
        process = run_program.fork(*call, patch=patch, concurrency=8)
        _, err = process.communicate(timeout=120)
        assert process.returncode == -9, err
        call = ("resume",)
    assert run_program("resume", concurrency=8).counts == {"updated": rows}
    puts = Counter(find_puts(sandbox))
    assert len(puts) == rows
    assert sum(puts.values()) <= rows + 2 * 20 * 8
    for at in range(rows):
        customer = sandbox.customer(FIRST + at)
        assert (customer["Name"], customer["Email"]) == (f"row {at}", f"row-{at}@example.com")
