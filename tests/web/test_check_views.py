"""The page of a checked sheet over HTTP."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from openpyxl import Workbook

from bulkupdate.runs.input_file import SheetOptions, load_input_file
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, count_updates, make_csv, path_of, sent_customers


def test_what_is_clicked_twice_runs_once(anna: Visitor, sandbox: Sandbox) -> None:
    """Double click, reload, back and again: one run, each row sent once."""
    checked = anna.upload("twice.csv", make_csv(5, first_id=120_001))
    sandbox.reset_log()
    token = anna.token()

    def click(_: int) -> str:
        data = {"csrf_token": token}
        answer = requests.post(
            f"{anna.url}{path_of(checked)}/start", data, cookies=dict(anna.session.cookies), timeout=30
        )
        return path_of(answer)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(click, range(6)))) == 1
    run = anna.wait_for_end(anna.start(checked))
    assert path_of(run) == path_of(checked).replace("sheets", "runs")
    assert count_updates(sandbox) == 5


def test_before_and_after_on_request(server: Server, sandbox: Sandbox) -> None:
    """Live values beside those of the sheet; unknown customers are named; a bounded number of calls, and no PUT."""
    anna = Visitor(server.url, "anna")
    checked = anna.upload("look.csv", make_csv(120, first_id=159_950, name="Looked"))
    sandbox.reset_log()
    page = anna.post(path_of(checked) + "/changes").text
    assert page.count("Looked ") == 50
    assert len(sandbox.requests) <= 3
    assert not sent_customers(sandbox)
    unknown = anna.upload("unknown.csv", make_csv(2, first_id=999_001))
    assert "has no customer 999001, 999002" in anna.post(path_of(unknown) + "/changes").text


def test_a_large_sheet_with_many_problems_is_shown_at_once(server: Server, tmp_path: Path) -> None:
    """20,000 rows, 5,000 problems: three seconds after the upload, in a page of under 300 kB.

    On a machine that is busy with something else, in three times what the check alone takes beside it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Customers")
    sheet.append(["CustomerId", "Name", "Email", "BusinessName", "Phone1", "Rating", "IsWholesale", "Comments"])
    for place in range(20_000):
        mail = "no address" if place % 4 == 0 else f"a{place}@example.com"
        sheet.append([100_001 + place, f"N {place}", mail, f"Firm {place}", f"0049 {place}", "Neutral", "Yes", "Hello"])
    path = tmp_path / "large.xlsx"
    book.save(path)
    hanna = Visitor(server.url, "hanna")
    token, started = hanna.token(), time.monotonic()
    page = hanna.upload("large.xlsx", path.read_bytes(), csrf_token=token).content
    took = time.monotonic() - started
    assert b"5,000 problems, page 1 of 50" in page
    assert len(page) < 300_000
    started = time.monotonic()
    load_input_file(path, Settings(), SheetOptions())
    bare = time.monotonic() - started
    assert took < max(3, 3 * bare), f"{took:.1f} s; the check alone takes {bare:.1f} s on this machine just now"


def test_a_file_that_is_being_sent_is_not_sent_beside_that_by_accident(tmp_path: Path) -> None:
    """Two tabs, both with the plan open: the second start is refused; with a tick on the reloaded plan it is meant."""
    options = SandboxOptions(customers=200, latency_seconds=0.2, **LOGINS)
    with Sandbox(options) as sandbox, Server(sandbox.base_url, tmp_path / "s") as server:
        anna = Visitor(server.url, "anna")
        first, second = (anna.upload(f"{name}.csv", make_csv(150)) for name in "ab")
        run = anna.start(first)
        refused = anna.start(second)
        assert refused.status_code == 409
        assert "being sent by another run now" in refused.text
        assert "This file is being sent now," in anna.get(path_of(second)).text
        assert anna.start(second, again="1").status_code == 200
        anna.post(path_of(run) + "/stop")


@pytest.mark.long
def test_two_servers_on_one_folder_start_a_sheet_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """The one that is second waits until the first has written the run down, and leads to it."""
    state = tmp_path / "s"
    with Server(sandbox.base_url, state) as one, Server(sandbox.base_url, state) as other:
        visitors = [Visitor(server.url, "jan") for server in (one, other)]
        checked = visitors[0].upload("both.csv", make_csv(20_000, name="Both"))
        sandbox.reset_log()
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda visitor: visitor.start(checked), visitors))
        assert [answer.status_code for answer in answers] == [200, 200]
        for visitor in visitors:
            visitor.post(path_of(answers[0]) + "/stop")
        visitors[0].wait_for_end(answers[0])
        sent = sent_customers(sandbox)
        assert len(sent) == len(set(sent)) > 0


def test_a_sheet_beyond_a_limit_needs_a_tick(tmp_path: Path, sandbox: Sandbox) -> None:
    with Server(sandbox.base_url, tmp_path / "state", max_clears="1") as server:
        anna = Visitor(server.url, "anna")
        checked = anna.upload("clears.csv", b"CustomerId,Fax\n120001,<clear>\n120002,<clear>\n120003,1\n")
        assert "clear fields of 2 customers (Fax of 2) in its 3 rows; the limit is 1" in checked.text
        before = count_updates(sandbox)
        assert anna.post(path_of(checked) + "/start").status_code == 400
        assert count_updates(sandbox) == before
        run = anna.wait_for_end(anna.start(checked, beyond_limit="1"))
        assert "runs" in path_of(run)
        assert count_updates(sandbox) == before + 3
