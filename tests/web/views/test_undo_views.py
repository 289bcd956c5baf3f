"""Undoing a run on the page: compared first, then sent like any other run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.postgres import place_of
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, make_csv, path_of, sent_customers


def test_a_run_is_undone_after_a_comparison_that_leaves_later_changes_alone(server: Server, sandbox: Sandbox) -> None:
    anna = Visitor(server.url, "anna")
    before = [dict(sandbox.customer(142_001 + place) or {}) for place in range(3)]
    run = path_of(anna.wait_for_end(anna.start(anna.upload("u.csv", make_csv(3, first_id=142_001)), snapshot="1")))
    anna.wait_for_end(anna.start(anna.upload("later.csv", b"CustomerId,Name\n142002,Later\n")))
    assert "2 (1 update" not in (page := anna.get(run + "/undo").text)
    assert "3</dd>" in page
    sandbox.reset_log()
    compared = anna.wait_for_work(anna.post(run + "/undo"))
    assert not sent_customers(sandbox)
    assert "Restore 2 customers" in compared.text
    assert "Nothing was sent yet." in compared.text
    assert path_of(anna.post(run + "/undo")) == path_of(compared)
    assert Visitor(server.url, "bert").post(run + "/undo").status_code == 404
    restored = anna.wait_for_end(anna.post(path_of(compared) + "/resume"))
    assert sorted(sent_customers(sandbox)) == [142_001, 142_003]
    assert "1 row did not go through" in restored.text
    after = [dict(sandbox.customer(142_001 + place) or {}) for place in range(3)]
    assert [after[0], after[2]] == [before[0], before[2]]
    assert after[1]["Name"] == "Later"
    assert "This run was undone" in anna.get(run).text
    assert str(server.state_dir) not in anna.get(path_of(restored) + "/results.csv").text


def test_an_old_comparison_is_made_again_before_anything_is_sent(server: Server, sandbox: Sandbox) -> None:
    anna = Visitor(server.url, "anna")
    run = path_of(anna.wait_for_end(anna.start(anna.upload("o.csv", make_csv(2, first_id=143_001)), snapshot="1")))
    compared = path_of(anna.wait_for_work(anna.post(run + "/undo")))
    with Journal(place_of(server.state_dir), Clock()) as journal:
        journal.execute("UPDATE runs SET started = '2026-01-01T00:00:00Z' WHERE id = ?", compared.rpartition("/")[2])
    assert "Compare again" in anna.get(compared).text
    sandbox.reset_log()
    assert anna.post(compared + "/resume").status_code == 409
    assert not sent_customers(sandbox)
    again = anna.wait_for_work(anna.post(run + "/undo"))
    assert path_of(again) != compared
    assert "Restore 2 customers" in again.text
    assert anna.get(compared).status_code == 404


def test_a_run_that_cannot_be_undone_says_why(server: Server) -> None:
    anna = Visitor(server.url, "anna")
    kept_nothing = path_of(anna.wait_for_end(anna.start(anna.upload("k.csv", make_csv(1, first_id=144_001)))))
    for answer in (anna.post(kept_nothing + "/undo"), anna.get(kept_nothing + "/undo.xlsx")):
        assert (answer.status_code, "has kept no previous values" in answer.text) == (409, True)
    assert "It may have been deleted" in anna.get("/runs/none").text


@pytest.mark.long
def test_a_comparison_is_shown_and_can_be_stopped(tmp_path: Path) -> None:
    slow = SandboxOptions(customers=300, latency_seconds=0.3, **LOGINS)
    with Sandbox(slow) as sandbox, Server(sandbox.base_url, tmp_path / "s", concurrency="8") as server:
        anna = Visitor(server.url, "anna")
        rows = "".join(f"{100_001 + place},x\n" for place in range(80))
        checked = anna.upload("slow.csv", f"CustomerId,Comments\n{rows}".encode())
        run = path_of(anna.wait_for_end(anna.start(checked, snapshot="1")))
        with Server(sandbox.base_url, tmp_path / "s", concurrency="1") as slower:
            anna = Visitor(slower.url, "anna")
            anna.wait_for("of 80 customers", anna.post(run + "/undo"))
            stopped = anna.wait_for_work(anna.post(run + "/undo/stop"))
            assert "It was stopped before all customers were compared." in stopped.text
