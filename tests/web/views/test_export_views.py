"""Exporting customers on the page: the cost first, then the sheet, which can be uploaded again."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, make_csv, path_of


def test_the_customers_of_a_sheet_are_exported_and_can_be_sent_back(server: Server, sandbox: Sandbox) -> None:
    anna, bert = Visitor(server.url, "anna"), Visitor(server.url, "bert")
    checked = anna.upload("these.csv", make_csv(3, first_id=144_001) + b"999001,Gone,g@example.com\n")
    sheet = path_of(checked).rpartition("/")[2]
    sandbox.reset_log()
    asked = anna.post("/exports", sheet=sheet, fields="full")
    assert "5, including a sign-in" in asked.text
    assert not sandbox.requests
    path = path_of(asked)
    assert bert.post("/exports", sheet=sheet, fields="full").status_code == 404
    assert bert.get(path).status_code == bert.post(path + "/read").status_code == 404
    done = anna.wait_for_work(anna.post(path + "/read"))
    assert "Sellercloud does not know 1 id of the sheet" in done.text
    assert len([request for request in sandbox.requests if request.method == "GET"]) == 4
    assert bert.get(path + "/customers.xlsx").status_code == 404
    answer = anna.get(path + "/customers.xlsx")
    assert answer.headers["Content-Disposition"] == "attachment; filename=these-export.xlsx"
    rows = list(load_workbook(io.BytesIO(answer.content))["Customers"].values)
    assert [row[0] for row in rows[1:]] == ["144001", "144002", "144003"]
    again = anna.upload("edited.xlsx", answer.content)
    anna.wait_for_end(anna.start(again, only_changes="1"))
    assert not [request for request in sandbox.requests if request.method == "PUT"]
    anna.post(path + "/remove")
    assert anna.get(path).status_code == 404


@pytest.mark.long
def test_all_customers_are_counted_before_they_are_read(tmp_path: Path) -> None:
    """And the reading can be stopped and begun again."""
    options = SandboxOptions(customers=420, latency_seconds=0.2, **LOGINS)
    with Sandbox(options) as sandbox, Server(sandbox.base_url, tmp_path / "s", concurrency="1") as server:
        anna = Visitor(server.url, "anna")
        asked = anna.wait_for_work(anna.post("/exports", fields="full"))
        assert "420</dd>" in asked.text
        assert "430, including a sign-in" in asked.text
        path = path_of(asked)
        anna.wait_for("of 420 customers", anna.post(path + "/read"))
        assert "It was stopped before all customers were read." in anna.wait_for_work(anna.post(path + "/stop")).text
        short = anna.wait_for_work(anna.post("/exports", fields="short"))
        assert "10, including a sign-in" in short.text
        done = anna.wait_for_work(anna.post(path_of(short) + "/read"))
        assert "420 customers." in done.text
        assert "420 customers" in anna.get("/exports").text
