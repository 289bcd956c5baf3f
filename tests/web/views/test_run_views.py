"""The page of a run over HTTP."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
import requests
from openpyxl import load_workbook

from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.postgres import database_variable
from tests.warm import share_warm_program
from tests.web.conftest import LOGINS
from tests.web.served import CLEAN, Server, Visitor, make_csv, path_of, sent_customers


def test_retry_sends_what_was_rejected_once_more(tmp_path: Path) -> None:
    """As a run of its own, linked to the first; asked for twice, there is one."""
    plan = ScheduledFaults(customers={100_002: ["conflict-409"]})
    with Sandbox(SandboxOptions(**LOGINS), plan=plan) as sandbox, Server(sandbox.base_url, tmp_path / "s") as server:
        anna = Visitor(server.url, "anna")
        run = anna.wait_for_end(anna.start(anna.upload("a.csv", make_csv(3))))
        assert "1 row did not go through." in run.text
        to_fix = load_workbook(io.BytesIO(anna.get(path_of(run) + "/to-fix.xlsx").content)).active
        assert to_fix is not None
        assert to_fix.max_row == 2
        sandbox.reset_log()
        first, second = (anna.post(path_of(run) + "/retry") for _ in range(2))
        assert path_of(first) == path_of(second) != path_of(run)
        assert "Every row went through." in anna.wait_for_end(first).text
        assert sent_customers(sandbox) == [100_002]


def test_a_canary_that_disagreed_is_left_out_only_by_a_tick(tmp_path: Path) -> None:
    plan = ScheduledFaults(customers={100_002: ["ignored-200"] * 4})
    with Sandbox(SandboxOptions(**LOGINS), plan=plan) as sandbox, Server(sandbox.base_url, tmp_path / "s") as server:
        anna = Visitor(server.url, "anna")
        run = anna.wait_for_end(anna.start(anna.upload("a.csv", make_csv(8)), canary="1"))
        assert "Continue without the canary" in run.text
        assert "Continue without the canary" in anna.wait_for_end(anna.post(path_of(run) + "/resume")).text
        assert len(set(sent_customers(sandbox))) == 5
        assert "Continue without" not in anna.wait_for_end(anna.post(path_of(run) + "/resume", without_canary="1")).text
        assert len(set(sent_customers(sandbox))) == 8


def test_resume_does_not_overwrite_newer_values_without_a_tick(tmp_path: Path) -> None:
    slow = SandboxOptions(**LOGINS, latency_seconds=0.2)
    with Sandbox(slow) as sandbox, Server(sandbox.base_url, tmp_path / "s", concurrency="1") as server:
        anna = Visitor(server.url, "anna")
        older = path_of(anna.start(anna.upload("old.csv", make_csv(10, name="Old"))))
        assert "Resume" in anna.wait_for_end(anna.post(older + "/stop")).text
        sandbox.service.options = SandboxOptions(**LOGINS)
        anna.wait_for_end(anna.start(anna.upload("new.csv", make_csv(10))))
        sandbox.reset_log()
        assert "were updated by other runs" in anna.get(older).text
        assert anna.post(older + "/resume").status_code == 409
        assert sent_customers(sandbox) == []
        anna.wait_for_end(anna.post(older + "/resume", overwrite="1"), 60)
        assert sent_customers(sandbox)


@pytest.mark.long
def test_retry_does_not_overwrite_newer_values_without_a_tick(tmp_path: Path) -> None:
    plan = ScheduledFaults(customers={100_002: ["error-503"]})
    with (
        Sandbox(SandboxOptions(**LOGINS), plan=plan) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", max_attempts="1") as server,
    ):
        anna = Visitor(server.url, "anna")
        older = path_of(anna.wait_for_end(anna.start(anna.upload("old.csv", make_csv(3, name="Old")))))
        anna.wait_for_end(anna.start(anna.upload("new.csv", make_csv(3))))
        sandbox.reset_log()
        assert "were updated by other runs" in anna.get(older).text
        assert anna.post(older + "/retry").status_code == 409
        assert sent_customers(sandbox) == []
        anna.wait_for_end(anna.post(older + "/retry", overwrite="1"))
        assert sent_customers(sandbox) == [100_002]


@pytest.mark.long
def test_a_run_waits_for_quota_and_says_until_when(tmp_path: Path) -> None:
    """And its owner, signed out meanwhile, gets in all the same: the password is compared, no call is left for it."""
    with (
        Sandbox(SandboxOptions(**LOGINS)) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", requests_per_hour="12") as server,
    ):
        anna = Visitor(server.url, "anna")
        checked = anna.upload("long.csv", make_csv(30))
        assert "11 of 12 requests left this hour: the run will wait" in checked.text
        run = anna.start(checked)
        deadline = time.monotonic() + 20
        while "waiting for quota until" not in (page := anna.get(path_of(run) + "/progress").text):
            assert time.monotonic() < deadline, page
            time.sleep(0.1)
        assert re.search(r"waiting for quota until \d\d:\d\d", page)
        assert len(sandbox.requests) <= 12
        assert Visitor(server.url).sign_in("anna", "wrong").status_code == 401
        again = Visitor(server.url, "anna")
        assert "long.csv" in again.get("/runs").text
        assert Visitor(server.url).sign_in("bert").status_code == 200  # has an allowance of their own
        assert server.stop() == 0  # SIGTERM stops the run in good order
        server.start()
        settings = CLEAN | database_variable(tmp_path / "s")
        assert share_warm_program().call(tmp_path, settings, "runs", "--state-dir", tmp_path / "s") == 0
        assert "stopped" in (tmp_path / "out").read_text()


@pytest.mark.long
def test_a_run_that_reads_shows_its_phases_and_a_stop_loses_none_of_them(tmp_path: Path) -> None:
    """Previous values are counted and kept as they are read; so are read-backs; requests and expected end are live."""
    options = SandboxOptions(customers=200, latency_seconds=0.05, requests_per_hour=0, **LOGINS)
    sheet = "CustomerId,Comments\n" + "".join(f"{100_001 + number},New {number}\n" for number in range(150))
    with (
        Sandbox(options) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", requests_per_hour="0", concurrency="4") as server,
    ):
        anna = Visitor(server.url, "anna")
        run = anna.start(anna.upload("read.csv", sheet.encode()), snapshot="1", verify="1")
        read = wait_for_count(anna, run, "Reading previous values", 50)
        assert "expected end" in read.text
        anna.post(path_of(run) + "/stop")
        assert "It was stopped. All requests already sent are recorded." in anna.wait_for_end(run).text
        resumed = anna.post(path_of(run) + "/resume")
        wait_for_count(anna, resumed, "Updating", 50)
        wait_for_count(anna, resumed, "Reading back", 50)
        anna.wait_for_end(resumed, 60)
        methods = [request.method for request in sandbox.requests]
        assert (methods.count("PUT"), methods.count("GET")) == (150, 300)


def wait_for_count(visitor: Visitor, run: requests.Response, phase: str, least: int) -> requests.Response:
    """Wait until the page of the run counts this many rows of a phase."""
    deadline = time.monotonic() + 30
    while True:
        page = visitor.get(path_of(run) + "/progress")
        found = re.search(rf"<span>{phase}</span> <span class=\"dim\">(\d+) of 150 · \d+ requests?", page.text)
        if found is not None and int(found[1]) >= least:
            return page
        assert time.monotonic() < deadline, page.text
        time.sleep(0.05)
