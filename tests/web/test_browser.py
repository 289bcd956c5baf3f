"""A user's way through the pages, in a real Chromium against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from selenium.webdriver.common.keys import Keys

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.axe import find_axe, require_no_violation
from tests.web.browser import Browser
from tests.web.conftest import USERS
from tests.web.served import PASSWORD, Server, make_csv


@pytest.fixture(scope="module")
def slow_sandbox() -> Iterator[Sandbox]:
    """A service that takes its time, so that a run can be watched."""
    options = SandboxOptions(customers=500, username=USERS, password=PASSWORD, latency_seconds=0.25)
    with Sandbox(options) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def slow_server(slow_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(slow_sandbox.base_url, tmp_path_factory.mktemp("slow") / "state") as server:
        yield server


def sent_ids(sandbox: Sandbox) -> list[int]:
    return [int(request.customer_id) for request in sandbox.requests if request.method == "PUT"]


def test_from_sign_in_to_results_that_agree_with_the_service(
    browser: Browser, server: Server, sandbox: Sandbox, sample: Path
) -> None:
    """What the downloaded results say of each row is what the service holds, cell by cell as sent."""
    sandbox.reset_log()
    browser.open("/runs")  # leads to the form, and back to where one wanted to go
    browser.find("#username").send_keys("anna")
    browser.find("#password").send_keys(PASSWORD)
    browser.press("Sign in")
    browser.wait_for("Your sheets and runs")
    browser.open("/")
    browser.upload(sample)
    browser.wait_for("The plan")
    assert not sent_ids(sandbox)  # looking sends nothing
    browser.driver.execute_script("document.querySelectorAll('form.once details').forEach(each => each.open = true)")
    browser.find("#limit").send_keys("1" + Keys.ENTER)  # neither sends nor schedules
    browser.find("#limit").clear()
    assert not browser.driver.find_elements("css selector", "[role=alert]")
    browser.press("Update 198 customers")
    browser.wait_for("Every row went through.")
    book = load_workbook(browser.download("Results"))
    lines = list(book["Results"].iter_rows(values_only=True))
    heading, rows = lines[0], lines[1:]
    assert len(rows) == 200
    sent = [row for row in rows if row[2] == "updated"]
    assert sorted(sent_ids(sandbox)) == sorted(int(row[1]) for row in sent)
    assert [row[2] for row in rows if row not in sent] == ["unchanged"] * 2
    for row in sent:
        shown = dict(zip(heading, row, strict=True))
        held = sandbox.customer(shown["CustomerId"])
        assert held is not None
        if shown["Name"]:
            assert held["Name"] == shown["Name"]
    assert str(server.state_dir) not in json.dumps([[str(cell) for cell in row] for row in lines])


@pytest.mark.long
def test_a_bad_sheet_is_explained_row_by_row_and_nothing_is_sent(
    browser: Browser, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The cell's value and the remedy stand by its row; filter, pages and downloads work; sending has to be meant."""
    sandbox.reset_log()
    sheet = tmp_path / "bad <b>mails.csv"
    sheet.write_bytes(make_csv(300, bad_every=2, first_id=101_000))
    browser.sign_in("bert", PASSWORD)
    browser.upload(sheet)
    assert "150 rows are invalid" in browser.text
    assert "bad <b>mails.csv" in browser.text
    assert "no address" in browser.find("table.cards").text
    browser.driver.execute_script("document.getElementById('problems').scrollIntoView()")
    browser.press("Next →")
    browser.wait_for("page 2 of 2")
    browser.open(browser.driver.current_url.removeprefix(browser.url).partition("?")[0] + "?severity=warning")
    assert "No problem matches this filter." in browser.text
    report = load_workbook(browser.download("Check report"))
    assert report["Problems"].max_row >= 151
    browser.press("Update 150 customers")  # the box is not ticked: the browser does not let it through
    assert "/sheets/" in browser.driver.current_url
    assert not sent_ids(sandbox)
    browser.find("#skip_invalid").click()
    browser.press("Update 150 customers")
    browser.wait_for("150 rows did not go through")
    assert len(sent_ids(sandbox)) == 150
    to_fix = load_workbook(browser.download("Rows to fix")).active
    assert to_fix is not None
    assert to_fix.max_row == 151


@pytest.mark.long
def test_stop_and_resume(browser: Browser, slow_server: Server, slow_sandbox: Sandbox, tmp_path: Path) -> None:
    """Stop records what is in flight, Resume sends the rest, and no row that went through goes out again."""
    slow_sandbox.reset_log()
    sheet = tmp_path / "stopped.csv"
    sheet.write_bytes(make_csv(120))
    browser.reset(slow_server.url)
    browser.sign_in("chris", PASSWORD)
    browser.upload(sheet)
    browser.press("Update 120 customers")
    browser.wait(lambda: len(sent_ids(slow_sandbox)) > 20, "some rows sent")
    browser.wait_for("expected end")
    browser.press("Stop")
    browser.wait_for("stopped")
    browser.wait_for("Resume")
    require_no_violation(browser, find_axe())
    browser.look()
    sent = len(sent_ids(slow_sandbox))
    assert 20 < sent < 120
    browser.press("Resume")
    browser.wait_for("Every row went through.")
    assert sorted(sent_ids(slow_sandbox)) == list(range(100_001, 100_121))


@pytest.mark.long
def test_the_server_killed_in_a_run_and_started_again(browser: Browser, slow_sandbox: Sandbox, tmp_path: Path) -> None:
    """After `kill -9` the run stands as stopped, its owner signs in again and resumes; at most what was in flight goes
    out twice."""
    slow_sandbox.reset_log()
    sheet = tmp_path / "killed.csv"
    sheet.write_bytes(make_csv(120, first_id=100_201))
    with Server(slow_sandbox.base_url, tmp_path / "state") as server:
        browser.reset(server.url)
        browser.sign_in("dora", PASSWORD)
        browser.upload(sheet)
        browser.press("Update 120 customers")
        browser.wait(lambda: len(sent_ids(slow_sandbox)) > 20, "some rows sent")
        server.kill()
        server.start()
        browser.open("/runs")
        assert "Sign in" in browser.title  # the password was in the memory of the process only
        browser.sign_in("dora", PASSWORD)
        browser.open("/runs")
        assert "stopped" in browser.find("tbody").text
        browser.press("killed.csv")
        browser.wait_for("The server ended while this run was being sent.")
        updated = browser.find(".status-updated dd").text
        assert f"{updated} of 120 rows done" in browser.text  # those without an answer are not done
        browser.press("Resume")
        browser.wait_for("Every row went through.")
    ids = sent_ids(slow_sandbox)
    assert set(ids) == set(range(100_201, 100_321))
    assert len(ids) <= 120 + 8


@pytest.mark.long
def test_two_users_at_once(browser: Browser, slow_server: Server, slow_sandbox: Sandbox, tmp_path: Path) -> None:
    """Each has a run at the same time, sees only their own, and each run is sent with its user's login."""
    slow_sandbox.reset_log()
    sheets = {"eva": 100_001, "fritz": 100_101}
    other = Browser()
    try:
        for each, (name, first_id) in zip((browser, other), sheets.items(), strict=True):
            each.reset(slow_server.url)
            sheet = tmp_path / f"{name}.csv"
            sheet.write_bytes(make_csv(60, first_id=first_id, name=name))
            each.sign_in(name, PASSWORD)
            each.upload(sheet)
        for each in (browser, other):
            each.press("Update 60 customers")
        for each, name in zip((browser, other), sheets, strict=True):
            each.wait_for("Every row went through.")
            each.open("/runs")
            assert f"{name}.csv" in each.text
            assert ({"eva", "fritz"} - {name}).pop() not in each.text
    finally:
        other.close()
    for name, first_id in sheets.items():
        held = slow_sandbox.customer(first_id + 59)
        assert held is not None
        assert held["Name"] == f"{name} 59"


@pytest.mark.long
def test_without_javascript(slow_server: Server, slow_sandbox: Sandbox, tmp_path: Path) -> None:
    """Pages refresh themselves: the whole way goes without a script."""
    sheet = tmp_path / "plain.csv"
    sheet.write_bytes(make_csv(60))
    browser = Browser(script=False)
    try:
        browser.reset(slow_server.url)
        browser.sign_in("gerd", PASSWORD)
        browser.upload(sheet)
        browser.press("Update 60 customers")
        browser.wait_for("running")
        browser.wait_for("Every row went through.")
    finally:
        browser.close()
