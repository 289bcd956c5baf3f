"""Scheduling a start over HTTP."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.web.served import Server, Visitor, make_csv, path_of, sent_customers


def in_seconds(seconds: float) -> str:
    return f"{datetime.now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%M}"


def make_due(server: Server, path: str) -> None:
    """Move a schedule to the present: a form knows minutes only."""
    record = server.state_dir / "uploads" / path.rpartition("/")[2] / "schedule.json"
    text = record.read_text()
    at = text[text.index('"at": ') + 6 : text.index(', "identity"')]
    record.write_text(text.replace(at, str(time.time())))


def test_a_sheet_is_started_at_its_time_after_its_user_has_signed_out(server: Server, sandbox: Sandbox) -> None:
    """Scheduled twice, as by a double click, it is started once, with the choices of the form."""
    fritz, anna = Visitor(server.url, "fritz"), Visitor(server.url, "anna")
    checked = fritz.upload("later.csv", make_csv(4, first_id=128_001))
    path = path_of(checked)
    assert fritz.post(path + "/schedule", start_at="2020-01-01T22:00").status_code == 400
    assert anna.post(path + "/schedule", start_at=in_seconds(3600)).status_code == 404
    for _ in range(2):
        page = fritz.post(path + "/schedule", start_at=in_seconds(3600), limit="3", snapshot="1")
    assert "Scheduled: it starts at" in page.text
    assert "scheduled</span>" in fritz.get("/runs").text
    fritz.post("/sign-out")
    sandbox.reset_log()
    make_due(server, path)
    fritz = Visitor(server.url, "fritz")
    deadline = time.monotonic() + 30
    while "/runs/" not in (answer := fritz.get(path)).url:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "Resume" in fritz.wait_for_end(answer).text
    assert sorted(sent_customers(sandbox)) == [128_001, 128_002, 128_003]
    assert "started as scheduled" in Visitor(server.url, "admin").get("/audit").text


def test_a_schedule_is_cancelled_and_one_that_no_longer_fits_says_why(server: Server, sandbox: Sandbox) -> None:
    gerd = Visitor(server.url, "gerd")
    path = path_of(gerd.upload("fits.csv", make_csv(2, first_id=129_001)))
    gerd.post(path + "/schedule", start_at=in_seconds(3600))
    assert "Scheduled" not in gerd.post(path + "/schedule/cancel").text
    gerd.post(path + "/schedule", start_at=in_seconds(3600))
    gerd.wait_for_work(gerd.post(path + "/read-as", encoding="utf-8"))
    sandbox.reset_log()
    make_due(server, path)
    deadline = time.monotonic() + 30
    while "It did not start at" not in (page := gerd.get(path).text):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "The sheet was checked again after it had been scheduled." in page
    assert not sent_customers(sandbox)
    run = gerd.wait_for_end(gerd.start(gerd.get(path)))
    assert "Every row went through." in run.text


@pytest.mark.long
def test_after_a_restart_the_user_is_asked_to_sign_in_again(tmp_path: Path, sandbox: Sandbox) -> None:
    with Server(sandbox.base_url, tmp_path / "s", admins="admin") as server:
        anna = Visitor(server.url, "anna")
        path = path_of(anna.upload("restart.csv", make_csv(2, first_id=129_501)))
        anna.post(path + "/schedule", start_at=in_seconds(3600))
        server.kill()
        server.start()
        admin = Visitor(server.url, "admin")
        assert "anna has to sign in again before that time" in admin.get(path).text
        anna = Visitor(server.url, "anna")
        assert "Scheduled: it starts at" in anna.get(path).text
        make_due(server, path)
        deadline = time.monotonic() + 30
        while "/runs/" not in anna.get(path).url:
            assert time.monotonic() < deadline
            time.sleep(0.1)
