"""`import bulkupdate`: the functions of a program, against the sandbox over HTTP."""

from __future__ import annotations

import datetime
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bulkupdate
from bulkupdate.change_limit import ChangeLimit
from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError, InputFileError, OvertakenRunError, UsageError
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.retention import delete_runs_before
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import find_puts

FIRST = 100_001


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> bulkupdate.Settings:
    return bulkupdate.Settings(
        base_url=sandbox.base_url, username="sandbox", password=Secret("sandbox"), state_dir=tmp_path / "state",
        requests_per_hour=0, retry_wait=0.0,
    )  # fmt: skip


def make_frame(rows: int = 3, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"CustomerId": range(FIRST, FIRST + rows), "Name": [f"row {n}" for n in range(rows)], **columns}
    )


def test_a_frame_is_sent_and_its_index_leads_to_the_results(
    settings: bulkupdate.Settings, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = make_frame().set_index(pd.Index([7, 30, 12]))
    seen: list[tuple[int, int]] = []
    results = bulkupdate.run(frame, settings=settings, on_progress=lambda done, total: seen.append((done, total)))
    assert (results.exit_code, results.counts, results.error) == (0, {"updated": 3}, None)
    assert results.results.index.tolist() == [7, 12, 30]
    joined = frame.join(results.results[["Status", "FieldsSent"]])
    assert joined.loc[30].tolist() == [FIRST + 1, "row 1", "updated", ["Name"]]
    assert seen[-1] == (3, 3)
    assert [sandbox.customer(FIRST + n)["Name"] for n in range(3)] == ["row 0", "row 1", "row 2"]
    assert capfd.readouterr() == ("", "")
    assert bulkupdate.runs(settings=settings)[["Run", "updated"]].values.tolist() == [[results.run_id, 3]]


def test_values_that_are_not_texts_follow_the_rules() -> None:
    frame = pd.DataFrame(
        {
            "CustomerId": [163.0, np.int64(164), "165", 166.0],
            "Phone1": ["0049 30", None, np.nan, pd.NaT],
            "AccountManager1Commission": [2.5, Decimal("2.50"), np.float32(0.1), 0.001],
            "IsWholesale": [True, np.False_, "yes", pd.NA],
            "Comments": [datetime.date(2026, 3, 1), "'=1+1", 10**20, "NA"],
        }
    )
    checked = bulkupdate.check(frame, settings=bulkupdate.Settings())
    assert checked.exit_code == 0, checked.problems
    assert checked.results["Body"].tolist() == [
        '{"Phone1": "0049 30", "AccountManager1Commission": 2.5, "IsWholesale": true, "Comments": "2026-03-01"}',
        '{"AccountManager1Commission": 2.50, "IsWholesale": false, "Comments": "\'=1+1"}',
        '{"AccountManager1Commission": 0.1, "IsWholesale": true, "Comments": "100000000000000000000"}',
        '{"AccountManager1Commission": 0.001, "Comments": "NA"}',
    ]


def test_a_frame_of_texts_is_checked_as_the_same_sheet_is(tmp_path: Path) -> None:
    texts = [
        "NA",
        "null",
        "007",
        "+49 30",
        "1,50",
        "<clear>",
        " a ",
        "=1+1",
        "é\u0301",
        "TRUE",
        "1e5",
        "#N/A",
        "-",
        "'",
    ]
    frame = pd.DataFrame({"CustomerId": [str(163 + n) for n in range(len(texts))], "Name": texts, "Phone1": texts})
    frame["AccountManager1Commission"] = texts
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    from_frame, from_file = (bulkupdate.check(source, settings=bulkupdate.Settings()) for source in (frame, path))
    assert from_frame.results.reset_index(drop=True).equals(from_file.results.reset_index(drop=True))
    columns = ["CustomerId", "Column", "Value", "Code"]
    assert from_frame.problems[columns].equals(from_file.problems[columns])


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Comments", 1.5e17, "lost-digits"),
        ("Comments", ["a"], "value-type"),
        ("Comments", {"a": 1}, "value-type"),
        ("Comments", float("inf"), "value-type"),
        ("Comments", b"a", "value-type"),
        ("CustomerId", 163.5, "customer-id"),
    ],
)
def test_a_value_that_would_be_a_guess_is_a_problem_of_its_cell(column: str, value: object, code: str) -> None:
    record = {"CustomerId": 163, "Comments": "a", column: value}
    checked = bulkupdate.check([{"CustomerId": 162, "Comments": "b"}, record], settings=bulkupdate.Settings())
    assert (checked.exit_code, checked.counts) == (1, {"not attempted": 1, "invalid": 1})
    assert checked.problems[["Row", "Column", "Code"]].values.tolist() == [[1, column, code]]
    assert checked.results["Status"].to_dict() == {0: "not attempted", 1: "invalid"}


def test_rows_that_an_index_cannot_name_are_refused() -> None:
    for index in ([1, 1, 2], [-1, 0, 1]):
        with pytest.raises(InputFileError, match="index"):
            bulkupdate.check(make_frame().set_index(pd.Index(index)), settings=bulkupdate.Settings())
    texts = bulkupdate.check(make_frame().set_index(pd.Index(["b", "a", "a"])), settings=bulkupdate.Settings())
    assert texts.results.index.tolist() == [0, 1, 2]
    with pytest.raises(InputFileError, match="no column CustomerId"):
        bulkupdate.check(pd.DataFrame({"Name": ["a"]}), settings=bulkupdate.Settings())


def test_invalid_rows_keep_the_others_from_being_sent(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    frame = make_frame(Email=["a@example.com", "nobody", None])
    refused = bulkupdate.run(frame, settings=settings)
    assert (refused.exit_code, refused.run_id, find_puts(sandbox)) == (3, None, [])
    results = bulkupdate.run(frame, settings=settings, skip_invalid=True)
    assert (results.exit_code, results.counts) == (1, {"updated": 2, "invalid": 1})


def test_rows_beyond_a_limit_are_refused_as_a_whole(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    limited = replace(settings, max_changes=ChangeLimit("2"))
    with pytest.raises(InputFileError, match="would update 3 customers"):
        bulkupdate.run(make_frame(3), settings=limited)
    assert find_puts(sandbox) == []


def test_a_path_is_a_source_and_keeps_its_row_numbers(settings: bulkupdate.Settings, tmp_path: Path) -> None:
    sheet = tmp_path / "de.csv"
    sheet.write_text(f"Kundennr;Name\n{FIRST};0049\n", encoding="utf-8")
    results = bulkupdate.run(str(sheet), settings=settings, heading_map={"Kundennr": "CustomerId"})
    assert results.results["Status"].to_dict() == {2: "updated"}
    assert Path(str(results.results_path)).parent == tmp_path


def test_a_run_key_continues_or_returns_the_same_run_and_never_sends_twice(
    settings: bulkupdate.Settings, sandbox: Sandbox
) -> None:
    frame = make_frame(20)
    stop = threading.Event()
    first = bulkupdate.run(
        frame, settings=settings, run_key="dag 1", stop=stop, on_progress=lambda _done, _total: stop.set()
    )
    assert (first.state, first.exit_code) == ("stopped", 130)
    second = bulkupdate.run(frame.copy(), settings=settings, run_key="dag 1")
    third = bulkupdate.run(frame, settings=settings, run_key="dag 1")
    assert (second.run_id, third.run_id) == (first.run_id, first.run_id)
    assert third.counts == second.counts == {"updated": 20}
    assert len(find_puts(sandbox)) == 20
    with pytest.raises(UsageError, match="dag 1"):
        bulkupdate.run(make_frame(19), settings=settings, run_key="dag 1")


def test_two_calls_with_one_key_do_not_send_side_by_side(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    def send(_: int) -> object:
        try:
            return bulkupdate.run(make_frame(30), settings=settings, run_key="k").run_id
        except BusyError:
            return None

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(send, range(4))) - {None}
    assert len(ids) == 1
    assert len(find_puts(sandbox)) == 30


def test_what_was_rejected_is_retried_and_what_was_sent_can_be_undone(
    settings: bulkupdate.Settings, sandbox: Sandbox
) -> None:
    before = [sandbox.customer(FIRST + n)["Name"] for n in range(2)]
    records = [{"CustomerId": each, "Name": "new"} for each in (FIRST, FIRST + 1, 99)]
    results = bulkupdate.run(records, settings=settings, snapshot=True)
    assert results.counts == {"updated": 2, "rejected": 1}
    retried = bulkupdate.retry(settings=settings)
    assert (retried.counts, retried.results.index.tolist()) == ({"rejected": 1}, [2])
    planned = bulkupdate.undo(str(results.run_id), settings=settings)
    assert (planned.run_id, planned.counts) == (None, {"not attempted": 2})
    undone = bulkupdate.undo(str(results.run_id), send=True, settings=settings)
    assert undone.counts == {"updated": 2}
    assert [sandbox.customer(FIRST + n)["Name"] for n in range(2)] == before


def test_resume_does_not_overwrite_newer_values_unasked(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    stopped = bulkupdate.run(make_frame(5), settings=settings, limit=2)
    assert stopped.counts == {"updated": 2, "not attempted": 3}
    bulkupdate.run([{"CustomerId": FIRST + 4, "Name": "newer"}], settings=settings)
    with pytest.raises(OvertakenRunError, match=r"1 customer"):
        bulkupdate.resume(settings=settings)
    resumed = bulkupdate.resume(stopped.run_id, settings=settings, overwrite_newer=True)
    assert (resumed.counts, sandbox.customer(FIRST + 4)["Name"]) == ({"updated": 5}, "row 4")


def test_customers_are_found_by_a_key(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    email = sandbox.customer(FIRST)["Email"]
    results = bulkupdate.run([{"Email": email, "Name": "found"}], settings=settings, key="Email")
    assert results.results["CustomerId"].tolist() == [str(FIRST)]
    assert sandbox.customer(FIRST)["Name"] == "found"


def test_a_wrong_password_is_an_error_of_the_results_and_shown_nowhere(settings: bulkupdate.Settings) -> None:
    wrong = bulkupdate.Settings(
        base_url=settings.base_url, username="sandbox", password=Secret("hunter2"), state_dir=settings.state_dir
    )
    results = bulkupdate.run(make_frame(), settings=wrong)
    assert (results.exit_code, results.counts) == (4, {"not attempted": 3})
    assert "hunter2" not in f"{wrong!r} {results.error!r} {results.error}"


def test_purge_deletes_the_results_that_are_kept_in_the_state_folder(settings: bulkupdate.Settings) -> None:
    results = bulkupdate.run([{"CustomerId": 99, "Name": "a"}], settings=settings)
    kept = [results.results_path, results.to_fix_path]
    assert all(path is not None and path.is_file() for path in kept)
    with Journal(settings.state_dir, Clock()) as journal:
        delete_runs_before(journal, settings.state_dir, Clock().now() + 10)
    assert not any(path is not None and path.exists() for path in kept)


def test_importing_the_package_loads_no_library() -> None:
    code = (
        "import sys, bulkupdate; print(bulkupdate.__version__, *{'pandas', 'click', 'requests'} & sys.modules.keys())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == [bulkupdate.__version__]
