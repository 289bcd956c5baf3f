"""The sample for Airflow, run by Airflow itself: `TESTS_AIRFLOW=/path/to/bin/airflow`, or an `airflow` on the path."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psutil
import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST, PROJECT, find_puts, wait_until, write_csv, write_sheet
from tests.postgres import find_program, run_postgres

pytestmark = pytest.mark.long

SAMPLE = PROJECT / "deploy" / "airflow" / "bulkupdate_customers.py"
AIRFLOW = os.environ.get("TESTS_AIRFLOW") or shutil.which("airflow") or ""
CONCURRENCY = 4


class Airflow:
    """An Airflow with nothing but the sample, whose tasks are retried after a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        worker = folder / "worker"  # each task is on a host of its own, with a state folder of its own
        own = f'BULKUPDATE_STATE_DIR="${{BULKUPDATE_STATE_DIR:-{folder}/state-$$}}"'
        worker.write_text(f'#!/bin/sh\nexport {own}\nexec {sys.executable} "$@"\n')
        worker.chmod(0o755)
        code = SAMPLE.read_text(encoding="utf-8").replace("/opt/bulkupdate/.venv/bin/python", str(worker))
        folder.joinpath("sample.py").write_text(code.replace("minutes=10", "seconds=1"), encoding="utf-8")
        self._environment = os.environ | {
            "AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__DAGS_FOLDER": str(folder), "PYTHONPATH": str(PROJECT),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        }  # fmt: skip
        subprocess.run([AIRFLOW, "db", "migrate"], env=self._environment, check=True, capture_output=True)

    def start(self, sheet: Path, sandbox: Sandbox, database: str = "") -> subprocess.Popen[bytes]:
        """Begin `airflow dags test` with this sheet, on hosts that share a database if there is one."""
        state = {"BULKUPDATE_DATABASE": database} if database else {"BULKUPDATE_STATE_DIR": str(sheet.parent / "state")}
        connection = {
            "BULKUPDATE_BASE_URL": sandbox.base_url, "BULKUPDATE_USERNAME": "sandbox", "BULKUPDATE_PASSWORD": "sandbox",
            "BULKUPDATE_CONCURRENCY": str(CONCURRENCY), **state,
        }  # fmt: skip
        test = [
            AIRFLOW,
            "dags",
            "test",
            "bulkupdate_customers",
            "2026-03-01",
            "--conf",
            json.dumps({"source": str(sheet)}),
        ]
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                [*test, "--dagfile-path", str(self.folder / "sample.py")], env=self._environment | connection,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def list_results(self) -> list[dict[str, Any]]:
        """Return what the tasks have returned, the newest last."""
        with sqlite3.connect(self.folder / "airflow.db") as database:
            rows = database.execute("SELECT value FROM xcom WHERE key = 'return_value' ORDER BY timestamp").fetchall()
        database.close()
        return [json.loads(value) for (value,) in rows]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    if not AIRFLOW:
        pytest.skip("Airflow is not installed: the sample was not run; TESTS_AIRFLOW names its program")
    return Airflow(tmp_path_factory.mktemp("airflow"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_is_killed_is_retried_and_sends_nothing_twice(
    airflow: Airflow, make_sandbox: Any, tmp_path: Path, workers: int
) -> None:
    """Also if the retry is on another worker, which has only the database in common with the first."""
    if workers > 1 and find_program("initdb") is None:
        pytest.skip("PostgreSQL is not installed")
    with run_postgres() if workers > 1 else nullcontext() as postgres:
        database = postgres.make_database().reveal() if postgres else ""
        kill_the_first_attempt(airflow, make_sandbox(latency_seconds=0.2), tmp_path, database)


def kill_the_first_attempt(airflow: Airflow, sandbox: Any, tmp_path: Path, database: str) -> None:
    sheet = write_sheet(tmp_path / "a.csv", 40)
    process = airflow.start(sheet, sandbox, database)
    wait_until(lambda: len(find_puts(sandbox)) >= 10 or process.poll() is not None, 120)
    (task,) = [
        each for each in psutil.Process(process.pid).children(recursive=True) if "script.py" in str(each.cmdline())
    ]
    task.kill()
    assert process.wait(120) == 0
    checked, sent = airflow.list_results()[-2:]
    assert checked == {"rows": 40, "counts": {"not attempted": 40}}
    assert sent["counts"] == {"updated": 40}
    assert Path(sent["results"]).parent == tmp_path
    sent_again = [each for each, times in Counter(find_puts(sandbox)).items() if times > 1]
    assert len(sent_again) <= CONCURRENCY  # those in flight when the process was killed
    assert len(set(find_puts(sandbox))) == 40


def test_a_sheet_with_an_invalid_row_is_not_sent(airflow: Airflow, sandbox: Sandbox, tmp_path: Path) -> None:
    sheet = write_csv(tmp_path / "b.csv", [["CustomerId", "Email"], [FIRST, "a@example.com"], [FIRST + 1, "nobody"]])
    airflow.start(sheet, sandbox).wait(120)
    assert "“nobody” is not an e-mail address" in (airflow.folder / "log").read_text()
    assert find_puts(sandbox) == []
