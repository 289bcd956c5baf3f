"""`import bulkupdate`: the functions of a program, against the sandbox over HTTP."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import bulkupdate
from bulkupdate.change_limit import ChangeLimit
from bulkupdate.clock import Clock
from bulkupdate.errors import InputFileError, OvertakenRunError, UsageError
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.retention import delete_runs_before
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import find_puts
from tests.postgres import place_of
from tests.python_api.frames import FIRST, make_frame
from tests.remote.web_server import answer, serve_web


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
    with Journal(place_of(settings.state_dir), Clock()) as journal:
        delete_runs_before(journal, settings.state_dir, Clock().now() + 10)
    assert not any(path is not None and path.exists() for path in kept)


def test_importing_the_package_loads_no_library() -> None:
    code = (
        "import sys, bulkupdate; print(bulkupdate.__version__, *{'pandas', 'click', 'requests'} & sys.modules.keys())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == [bulkupdate.__version__]


def test_an_address_is_a_source(settings: bulkupdate.Settings) -> None:
    with serve_web() as web:
        web.answers["/a.jsonl"] = answer(f'{{"CustomerId": {FIRST}, "Name": "fetched"}}'.encode())
        sent = bulkupdate.run(web.url("/a.jsonl"), settings=settings)
    assert (sent.counts, sent.results_path.parent) == ({"updated": 1}, settings.state_dir / "results")


def test_only_the_approved_plan_is_sent(settings: bulkupdate.Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    frame, plan = pd.DataFrame({"CustomerId": [FIRST], "Name": ["Ann"]}), tmp_path / "plan.json"
    assert bulkupdate.check(frame, settings=settings, plan=plan, verify=True).exit_code == 0
    for changed, options in ((frame, {}), (frame.assign(Name="Bob"), {"verify": True})):
        with pytest.raises(InputFileError, match="This is not what the plan"):
            bulkupdate.run(changed, settings=settings, plan=plan, **options)
    assert find_puts(sandbox) == []
    assert bulkupdate.run(frame, settings=settings, plan=plan, verify=True).exit_code == 0
    with pytest.raises(UsageError, match="check does not use: verify"):
        bulkupdate.check(frame, settings=settings, verify=True)
