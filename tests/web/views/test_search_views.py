"""Customers found by another key than their id, on the page."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from openpyxl import load_workbook
from selenium.webdriver.common.keys import Keys

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.browser import Browser
from tests.web.conftest import LOGINS
from tests.web.served import PASSWORD, Server, Visitor, count_updates, path_of, sent_customers


def find_shared(sandbox: Sandbox) -> tuple[int, str]:
    """Return the second of two customers with the same e-mail, and that e-mail."""
    emails = {number: email_of(sandbox, number) for number in range(100_001, 100_200)}
    return next((number, emails[number]) for number in range(100_002, 100_200) if emails[number] == emails[number - 1])


def email_of(sandbox: Sandbox, number: int) -> str:
    return str((sandbox.customer(number) or {})["Email"])


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Sandbox, Server, bytes, int]:
    """A service with shared e-mails and its page; a sheet with a match, a stranger and an ambiguous row; the id."""
    with (
        Sandbox(SandboxOptions(customers=2000, requests_per_hour=0, shared_emails=0.1, **LOGINS)) as sandbox,
        Server(sandbox.base_url, tmp_path / "s") as server,
    ):
        number, email = find_shared(sandbox)
        alone = next(each for each in range(100_300, 101_000) if is_alone(sandbox, each))
        lines = [
            "Email,Comments",
            f"{email_of(sandbox, alone).upper()},one",
            "nobody@example.com,two",
            f"{email},three",
        ]
        yield sandbox, server, "\n".join(lines).encode(), number


def is_alone(sandbox: Sandbox, number: int) -> bool:
    return all(email_of(sandbox, number) != email_of(sandbox, other) for other in (number - 1, number + 1))


def test_a_search_is_paid_when_agreed_to_and_an_ambiguous_row_is_settled(
    shared: tuple[Sandbox, Server, bytes, int],
) -> None:
    """Without JavaScript. What was chosen is in the results; the stored sheet is what was uploaded."""
    sandbox, server, sheet, number = shared
    anna = Visitor(server.url, "anna")
    sandbox.reset_log()
    page = anna.upload("by mail.csv", sheet, key="e-mail")
    assert "3 different values are searched for" in page.text
    assert "at most 3, and up to 3 to sign in" in page.text
    assert not sandbox.requests
    assert "3 different values are searched for" in anna.get(path_of(page) + "/rows/2").text  # there are no rows yet
    page = anna.wait_for_work(anna.post(path_of(page) + "/search", agreed="3"))
    assert "1 matched, 1 no match, 1 ambiguous" in page.text
    assert "no customer has the Email “nobody@example.com”" in page.text
    assert len(sandbox.requests) <= 6
    searched = len(sandbox.requests)
    assert page.text.count('name="choice"') == 2
    assert "1 ambiguous" in anna.post(path_of(page) + "/settle", choice="4:100999").text  # no candidate of that row
    page = anna.post(path_of(page) + "/settle", choice=f"4:{number}")
    assert "2 matched, 1 no match" in page.text
    report = load_workbook(io.BytesIO(anna.get(path_of(page) + "/report.xlsx").content))
    assert str(number) in [str(row[3]) for row in report["Matches"].values]
    assert len(sandbox.requests) == searched
    upload_id = path_of(page).rpartition("/")[2]
    run = anna.wait_for_end(anna.start(page, skip_invalid="1"))
    assert number in sent_customers(sandbox)
    assert count_updates(sandbox) == 2
    results = load_workbook(io.BytesIO(anna.get(path_of(run) + "/results.xlsx").content))["Results"]
    assert str(number) in [str(row[1]) for row in results.values]
    assert (server.state_dir / "uploads" / upload_id / f"{upload_id}.csv").read_bytes() == sheet


def test_more_requests_than_agreed_to_are_asked_for_first(tmp_path: Path) -> None:
    """The filter is ignored, so the whole list has to be read: 40 pages instead of three requests."""
    options = SandboxOptions(customers=2000, requests_per_hour=0, email_filter="ignored", **LOGINS)
    with Sandbox(options) as sandbox, Server(sandbox.base_url, tmp_path / "s") as server:
        anna = Visitor(server.url, "anna")
        lines = ["Email,Comments", *(f"{email_of(sandbox, number)},x" for number in (100_500, 101_000, 101_500))]
        page = anna.upload("mail.csv", "\n".join(lines).encode(), key="Email")
        page = anna.wait_for_work(anna.post(path_of(page) + "/search", agreed="3"))
        assert "The search takes more than 3 requests." in page.text
        assert "at most 39" in page.text
        assert len(sandbox.requests) <= 6
        page = anna.wait_for_work(anna.post(path_of(page) + "/search", agreed="39"))
        assert "3 rows: 3 matched" in page.text
        assert len(sandbox.requests) <= 3 + 39 + 4


@pytest.mark.long
def test_a_search_survives_a_stop_and_a_killed_server(tmp_path: Path) -> None:
    """No key is asked for twice, but for those in flight."""
    options = SandboxOptions(customers=6000, requests_per_hour=0, latency_seconds=0.05, **LOGINS)
    with Sandbox(options) as sandbox, Server(sandbox.base_url, tmp_path / "s", concurrency="2") as server:
        emails = sorted({email_of(sandbox, number) for number in range(100_001, 100_081)})
        sheet = "\n".join(["Email,Comments", *(f"{email},x" for email in emails)]).encode()
        anna = Visitor(server.url, "anna")
        page = path_of(anna.upload("mail.csv", sheet, key="Email"))
        anna.post(page + "/search", agreed=str(len(emails)))
        deadline = time.monotonic() + 20
        while len(sandbox.requests) < 10:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        stopped = anna.wait_for_work(anna.post(page + "/search/stop")).text
        assert "The search was stopped. What it found is kept" in stopped
        sent = len(sandbox.requests)
        anna.post(page + "/search", agreed=str(len(emails)))
        while len(sandbox.requests) < sent + 10:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.kill()
        server.start()
        anna = Visitor(server.url, "anna")
        found = anna.wait_for_work(anna.post(page + "/search", agreed=str(len(emails))))
        assert "Customers found by Email" in found.text
        asked = [request for request in sandbox.requests if "email" in request.query.lower()]
        assert (
            len(emails) <= len(asked) <= len(emails) + 2 * 2 + 1
        )  # two were in flight each time; one tries the filter


def test_customers_are_looked_up_in_a_second_sheet_without_a_request(server: Server, sandbox: Sandbox) -> None:
    anna = Visitor(server.url, "anna")
    sheet, lookup = (
        b"Kundennr,Comments\nA1,x\nB2,y\nC3,z\nC3,z\n",
        b"CustomerId;Kundennr\n100001;A1\n100002;B2\n100003;B2\n100004;C3\n",
    )
    refused = anna.upload("own numbers.csv", sheet, key="Kundennr")
    assert "Upload a lookup sheet as well" in refused.text
    sandbox.reset_log()
    upload_id = path_of(refused).rpartition("/")[2]
    page = anna.post("/sheets", files={"lookup": ("our list.csv", lookup)}, again=upload_id, key="Kundennr")
    assert "4 rows: 1 matched, 1 ambiguous, 2 duplicate" in page.text
    assert "its Kundennr is that of customer 100004, which is in row 5 too" in page.text
    assert "looked up in our list.csv (4 customers), which was uploaded at" in page.text
    assert not sandbox.requests
    assert Visitor(server.url, "bert").post(path_of(page) + "/settle", choice="3:100003").status_code == 404


@pytest.mark.long
def test_a_refused_sheet_is_matched_and_settled_with_the_keyboard(
    browser: Browser, shared: tuple[Sandbox, Server, bytes, int], tmp_path: Path
) -> None:
    """In Chromium: upload, choose the key, see the cost, search, choose a candidate, update."""
    sandbox, server, sheet, number = shared
    path = tmp_path / "by mail.csv"
    path.write_bytes(sheet)
    browser.reset(server.url)
    browser.sign_in("anna", PASSWORD)
    browser.upload(path)
    assert "has no column CustomerId" in browser.text
    browser.find("button[value=use]").send_keys(Keys.ENTER)
    browser.wait_for("at most 3, and up to 3")
    browser.press("Search for the customers")
    browser.wait_for("Which customer is meant?")
    browser.find(f'button[value="4:{number}"]').send_keys(Keys.ENTER)
    browser.wait_for("You chose the customer of 1 row.")
    browser.find("#skip_invalid").send_keys(Keys.SPACE)
    browser.find("form[action$='/start'] .actions:last-child button").send_keys(Keys.ENTER)
    browser.wait(lambda: "finished" in browser.title, "the end of the run")
    assert number in sent_customers(sandbox)
