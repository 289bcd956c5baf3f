"""A command loads no more than it needs: that is most of the time of a small check."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

HEAVY = ("pandas", "pandera", "pyarrow", "requests", "openpyxl", "hypothesis", "flask", "jinja2", "sqlite3")


def list_loaded(*arguments: object, among: Sequence[str] = HEAVY) -> set[str]:
    """The heavy libraries, or other modules, that a call of the program loads."""
    command = [sys.executable, "-X", "importtime", "-m", "bulkupdate", *map(str, arguments)]
    unmeasured = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured).stderr
    loaded = {line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")}
    return loaded & set(among)


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "ten.csv"
    path.write_text("CustomerId,Name\n" + "".join(f"{row},Customer {row}\n" for row in range(1, 11)))
    return path


def test_help_loads_nothing_heavy():
    assert list_loaded("--help", among=(*HEAVY, "bulkupdate.runs")) == set()


def test_a_check_loads_neither_what_writes_workbooks_nor_what_speaks_to_the_service(sheet):
    assert list_loaded("check", sheet) == {"pandas", "pandera", "pyarrow"}


def test_a_report_loads_what_writes_it(sheet, tmp_path):
    loaded = list_loaded("check", sheet, "-o", tmp_path / "report.xlsx")
    assert "openpyxl" in loaded
    assert not loaded & {"requests", "hypothesis", "flask", "sqlite3"}
