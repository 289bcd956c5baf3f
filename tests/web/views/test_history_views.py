"""The history: pages, and a search by name."""

from __future__ import annotations

import io
import re
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.uploads.upload_store import Uploads
from tests.web.served import Server, Visitor, make_csv, path_of


def test_the_history_is_paged_and_searched(sandbox: Sandbox, tmp_path: Path) -> None:
    with Server(sandbox.base_url, tmp_path / "state", admins="admin") as server:
        anna = Visitor(server.url, "anna")
        sent = anna.wait_for_end(anna.start(anna.upload("Été 2026.csv", make_csv(2))))
        host = re.sub(r"https?://|/.*", "", sandbox.base_url)
        uploads = Uploads(tmp_path / "state", Clock())
        for number in range(60):
            owner = "anna" if number % 2 else "bert"
            uploads.add(io.BytesIO(b"x"), owner, host, f"waiting {number}.csv", ".csv", SheetOptions())
        own = anna.get("/runs").text
        assert own.count("<tr>") == 32  # the headings, 30 sheets and a run
        assert "Pages of the history" not in own
        found = anna.get("/runs?q=ÉTÉ").text
        assert "Été 2026.csv" in found
        assert "waiting" not in found
        assert "Nothing matches." in anna.get("/runs?q=elsewhere").text
        admin = Visitor(server.url, "admin")
        everything = admin.get("/runs").text
        assert "Page 1 of 2" in everything
        assert everything.count("<tr>") == 51
        assert admin.get("/runs?q=bert").text.count("<tr>") == 31
        assert sent.status_code == 200


def test_the_history_of_a_customer_has_the_runs_that_the_user_may_see(server: Server, anna: Visitor) -> None:
    run = path_of(anna.wait_for_end(anna.start(anna.upload("one.csv", make_csv(1, first_id=121_777, name="Hist")))))
    assert "Hist" in anna.get("/customers?id=121777").text
    assert run in anna.get("/customers?id=121777").text
    assert "No run that you may see" in Visitor(server.url, "bert").get("/customers?id=121777").text
    assert "Hist" in Visitor(server.url, "admin").get("/customers?id=121777").text
