"""`--verify`: what each row says once its customer has been read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.sandbox.responses import SandboxResponse, answer_json, error_response
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST, read_results, write_csv
from tests.runs.in_process import Driver
from tests.runs.live_sheets import count_kinds

FAX = FIELD_BY_NAME["Fax"]


def verify(sandbox: Sandbox, folder: Path, field: str, values: list[str]) -> list[tuple[str, str]]:
    driver = Driver(sandbox.base_url, folder)
    rows = [[FIRST + at, value] for at, value in enumerate(values)]
    run = driver.begin(write_csv(folder / "in.csv", [["CustomerId", field], *rows]), verify=True)
    driver.execute_run(run)
    lines = read_results(Path(run.results_path))
    return [(line["Status"], line["Message"].partition(". ")[0]) for line in lines]  # what to do follows


@pytest.mark.parametrize("shown", [[], [{"ID": FIRST, "Name": "Old"}]])
def test_a_list_that_lags_behind_is_not_believed(make_sandbox: Any, tmp_path: Path, shown: list[object]) -> None:
    late = answer_json({"Items": shown, "TotalResults": len(shown)})
    sandbox = make_sandbox(plan=lambda call: late if call.kind == "list" else None)
    assert verify(sandbox, tmp_path, "Name", ["New"]) == [("updated", "read back")]
    assert count_kinds(sandbox) == {"list": 1, "read": 1, "token": 1, "write": 1}


def test_a_customer_that_the_list_shows_as_sent_is_not_read_again(sandbox: Sandbox, tmp_path: Path) -> None:
    assert verify(sandbox, tmp_path, "Name", ["New", "Newer"]) == [("updated", "read back")] * 2
    assert count_kinds(sandbox) == {"list": 1, "token": 1, "write": 2}


def test_a_customer_whose_fields_no_list_has_is_read_once(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(plan=lambda call: "ignored-200" if (call.kind, call.number) == ("write", 1) else None)
    sandbox.service.registry.update(FIRST, {"Fax": "0"}, is_applied=True)
    assert verify(sandbox, tmp_path, "Fax", ["1"]) == [("failed", "answered 200, but read back unchanged: Fax")]
    assert count_kinds(sandbox) == {"read": 1, "token": 1, "write": 1}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (SandboxResponse(200, json.dumps({FAX.group: {}}).encode()), ("updated", "the service does not show: Fax")),
        (error_response(404, "not found"), ("failed", "answered 200, but cannot be read back")),
    ],
)
def test_what_cannot_be_seen_is_said(
    make_sandbox: Any, tmp_path: Path, answer: SandboxResponse, expected: tuple[str, str]
) -> None:
    sandbox = make_sandbox(plan=lambda call: answer if call.kind == "read" else None)
    assert verify(sandbox, tmp_path, "Fax", ["1"]) == [expected]


def test_rows_of_more_than_one_part_are_all_read_back(sandbox: Sandbox, tmp_path: Path) -> None:
    """Outcomes are recorded fifty at a time: the last, smaller part as well."""
    assert verify(sandbox, tmp_path, "Name", [f"n{at}" for at in range(120)]) == [("updated", "read back")] * 120


def test_what_is_read_back_is_reported_as_it_is_recorded(sandbox: Sandbox, tmp_path: Path) -> None:
    driver, reported = Driver(sandbox.base_url, tmp_path), []
    rows = [[FIRST + at, f"n{at}"] for at in range(60)]
    run = driver.begin(write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], *rows]), verify=True)
    driver.execute_run(run, watch=lambda outcomes, _waiting: reported.extend(outcomes))
    told = [outcome.row for outcome in reported if outcome.message.startswith("read back")]
    assert sorted(told) == [*range(2, 62)]
