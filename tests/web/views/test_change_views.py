"""The whole difference between a sheet and the live customers, over HTTP."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, path_of, sent_customers


def make_sheet(sandbox: Sandbox, first: int, rows: int) -> bytes:
    """A sheet that changes the business name of every customer and the e-mail of every fourth, and one unknown id."""
    lines = ["CustomerId,BusinessName,Email"]
    for at in range(rows):
        email = (sandbox.customer(first + at) or {})["Email"]
        lines.append(f"{first + at},note {at},{email if at % 4 else f'new{at}@example.com'}")
    return "\n".join([*lines, "999001,unknown,u@example.com"]).encode()


def test_what_changes_is_shown_of_every_customer_by_field_and_in_the_reports(server: Server, sandbox: Sandbox) -> None:
    """The cost is said before; only differences are shown; nothing is sent; a correction ends the comparison."""
    anna = Visitor(server.url, "anna")
    checked = anna.upload("look.csv", make_sheet(sandbox, 159_001, 240))
    assert "fetches all 241 customers from Sellercloud: 5 requests and a sign-in" in checked.text
    sandbox.reset_log()
    page = anna.wait_for_work(anna.post(path_of(checked) + "/changes"))
    assert "240 of 241 customers would change" in page.text
    assert "Row 242, customer 999001" in page.text
    assert len(sandbox.requests) <= 6
    assert not sent_customers(sandbox)
    assert "300 changes, page 1 of 3" in page.text
    emails = anna.get(path_of(page), params={"field": "Email"}).text
    assert "60 changes of Email" in emails
    assert (emails.count('<ins class="after">new'), emails.count('class="after">note')) == (60, 0)
    assert "240 of 241 customers would change" in anna.get(path_of(checked)).text
    book = load_workbook(io.BytesIO(anna.get(path_of(checked) + "/report.xlsx").content))
    assert book["Changes"].max_row == 301
    html = anna.get(path_of(checked) + "/report.html").text
    assert "BusinessName: 240 customers</summary>" in html
    assert html.count(">new") == 60
    revision = re.search(r'name="revision" value="(\d+)"', anna.get(path_of(checked) + "/rows/2").text)
    assert revision is not None
    anna.post(path_of(checked) + "/corrections", revision=revision[1], cell=["242:0"], after=["159241"])  # type: ignore[arg-type]
    assert "Show before and after" in anna.get(path_of(checked)).text
    assert "Changes" not in load_workbook(io.BytesIO(anna.get(path_of(checked) + "/report.xlsx").content)).sheetnames
    assert Visitor(server.url, "bert").get(path_of(page)).status_code == 404


def test_an_unknown_customer_is_reported_under_the_sheets_own_heading(server: Server) -> None:
    anna = Visitor(server.url, "anna")
    checked = anna.upload("own.csv", b"Customer ID,Name\n999001,New\n")
    anna.wait_for_work(anna.post(path_of(checked) + "/changes"))
    book = load_workbook(io.BytesIO(anna.get(path_of(checked) + "/report.xlsx").content))
    problems = [[cell.value for cell in row] for row in book["Problems"]]
    assert [row[problems[0].index("Column")] for row in problems[1:]] == ["Customer ID"]


@pytest.mark.long
def test_a_comparison_waits_for_quota_says_so_and_can_be_stopped(tmp_path: Path) -> None:
    with (
        Sandbox(SandboxOptions(customers=2_000, **LOGINS)) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", requests_per_hour="8") as server,
    ):
        anna = Visitor(server.url, "anna")
        checked = anna.upload("long.csv", make_sheet(sandbox, 100_001, 800))
        page = anna.wait_for("Waiting for quota until", anna.post(path_of(checked) + "/changes"))
        stopped = anna.wait_for_work(anna.post(path_of(page) + "/stop"))
        assert "It was stopped before all customers were compared." in stopped.text
        assert "it will wait for more" in stopped.text
