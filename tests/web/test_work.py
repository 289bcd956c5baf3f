"""What the page does with sheets and runs, over HTTP: acceptance checks 53, 56 and 58, and the rest of the way."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from bulkupdate.clock import Clock
from bulkupdate.runs.input_file import SheetOptions, load_input_file
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings
from bulkupdate.web.check_queue import Checks
from bulkupdate.web.check_store import read_outcome
from bulkupdate.web.check_worker import Task
from bulkupdate.web.upload_store import Uploads
from tests.web.conftest import PEOPLE
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of

LOGINS = {"username": PEOPLE, "password": PASSWORD}


def puts(sandbox: Sandbox) -> list[int]:
    return [int(request.customer_id) for request in sandbox.requests if request.method == "PUT"]


def test_before_and_after_on_request(server: Server, sandbox: Sandbox) -> None:
    """Live values beside those of the sheet; unknown customers are named; a bounded number of calls, and no PUT."""
    anna = Visitor(server.url, "anna")
    checked = anna.upload("look.csv", make_csv(120, first_id=159_950, name="Looked"))
    sandbox.reset_log()
    page = anna.post(path_of(checked) + "/changes").text
    assert page.count("Looked ") == 50
    assert len(sandbox.requests) <= 3
    assert not puts(sandbox)
    unknown = anna.upload("unknown.csv", make_csv(2, first_id=999_001))
    assert "has no customer 999001, 999002" in anna.post(path_of(unknown) + "/changes").text


def test_an_undo_sheet_puts_the_values_of_before_back(server: Server, sandbox: Sandbox) -> None:
    """Kept on request, taken home, uploaded like any other sheet."""
    anna = Visitor(server.url, "anna")
    before = [dict(sandbox.customer(140_001 + place) or {}) for place in range(3)]
    run = anna.start(anna.upload("undo me.csv", make_csv(3, first_id=140_001)), snapshot="1")
    anna.wait_for_end(run)
    assert (sandbox.customer(140_001) or {})["Name"] == "New 0"
    sheet = anna.get(path_of(run) + "/undo.xlsx")
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="undo me-undo.xlsx"'
    anna.wait_for_end(anna.start(anna.upload("undo.xlsx", sheet.content)))
    assert [dict(sandbox.customer(140_001 + place) or {}) for place in range(3)] == before


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
        assert puts(sandbox) == [100_002]


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
        told = subprocess.check_output([sys.executable, "-m", "bulkupdate", "runs", "--state-dir", str(tmp_path / "s")])
        assert b"stopped" in told


@pytest.mark.long
def test_ten_people_with_runs_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each keeps their own data and their own quota, shared by two runs of one login."""
    names = PEOPLE.split(",")[:10]
    sandbox.reset_log()

    def work(place: int) -> tuple[str, str]:
        visitor = Visitor(server.url, names[place])
        runs = [
            visitor.start(visitor.upload(f"{names[place]}-{part}.csv", make_csv(
                10, first_id=101_001 + 100 * place + 10 * part, name=names[place])))
            for part in range(2)
        ]  # fmt: skip
        ends = [visitor.wait_for_end(run).text for run in runs]
        assert all("Every row went through." in end for end in ends)
        return visitor.get("/runs").text, visitor.get("/").text

    with Server(sandbox.base_url, tmp_path / "s") as server, ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(work, range(10)))
    for place, (history, _) in enumerate(pages):
        assert set(re.findall(r">(\w+)-\d\.csv<", history)) == {names[place]}
        for part in range(20):
            assert str((sandbox.customer(101_001 + 100 * place + part) or {})["Name"]).startswith(names[place])
    sent = puts(sandbox)
    assert len(sent) == len(set(sent)) == 200


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


def make_bomb(kind: str) -> bytes:
    """A workbook that means harm: of blocks of zeros, or of entities that double and double."""
    content = io.BytesIO()
    book = Workbook()
    book.active.append(["CustomerId", "Name"])  # type: ignore[union-attr]
    book.save(content)
    bomb = io.BytesIO()
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != "xl/worksheets/sheet1.xml":
                target.writestr(name, source.read(name))
        with target.open("xl/worksheets/sheet1.xml", "w") as sheet:
            if kind == "xml":
                entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
                sheet.write(f'<!DOCTYPE worksheet [<!ENTITY e0 "ha">{entities}]><worksheet>&e11;</worksheet>'.encode())
            else:
                sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
                for _ in range(200):
                    sheet.write(b" " * (1 << 20))
    return bomb.getvalue()


def test_bombs_are_refused_and_keep_nobody_waiting(server: Server) -> None:
    """Ten at once by one person; meanwhile another one's small sheet is checked as ever."""
    bombs = [make_bomb("zip"), make_bomb("xml")]
    fritz, gerd = Visitor(server.url, "fritz"), Visitor(server.url, "gerd")
    token = fritz.token()
    with ThreadPoolExecutor(10) as pool:
        started = time.monotonic()
        thrown = [pool.submit(fritz.upload, "bomb.xlsx", bombs[n % 2], csrf_token=token) for n in range(10)]
        time.sleep(0.2)
        assert gerd.upload("small.csv", make_csv(3)).status_code == 200
        small = time.monotonic() - started
        answers = [each.result() for each in thrown]
    assert small < 10
    assert all("bomb.xlsx was rejected" in each.text for each in answers)


def test_a_check_that_takes_too_much_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the memory it may take; the person is told in a sentence."""
    monkeypatch.setattr("bulkupdate.web.check_queue.work_within_limits", die)
    uploads = Uploads(tmp_path, Clock())
    upload = uploads.add(io.BytesIO(make_csv(1)), "anna", "host", "a.csv", ".csv", SheetOptions())
    checks = Checks()
    checks.start()
    try:
        assert checks.submit("anna", Task(upload, Settings())).wait(20)
    finally:
        checks.close()
    outcome = read_outcome(upload.folder)
    assert outcome is not None
    assert "more memory or time" in outcome.message


def die(_task: object) -> None:
    """A check that is killed."""
    os.kill(os.getpid(), 9)


@pytest.mark.long
def test_uploads_go_after_their_time_and_with_purge(sandbox: Sandbox, tmp_path: Path) -> None:
    """After BULKUPDATE_UPLOAD_DAYS by themselves; with `purge` when asked; by hand with a button."""
    state = tmp_path / "state"
    with Server(sandbox.base_url, state) as server:
        anna = Visitor(server.url, "anna")
        first, second = (path_of(anna.upload(f"{name}.csv", make_csv(1))).rpartition("/")[2] for name in "ab")
        anna.post(f"/sheets/{second}/remove")
        assert [each.name for each in (state / "uploads").iterdir()] == [first]
    for path in (state / "uploads").rglob("*"):
        os.utime(path, (time.time() - 86_400 * 31,) * 2)
    os.utime(state / "uploads" / first, (time.time() - 86_400 * 31,) * 2)
    with Server(sandbox.base_url, state) as server:
        deadline = time.monotonic() + 10
        while list((state / "uploads").iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        Visitor(server.url, "anna").upload("c.csv", make_csv(1))
    subprocess.run(
        [sys.executable, "-m", "bulkupdate", "purge", "--older-than", "0d", "--state-dir", str(state)], check=True
    )
    assert not list((state / "uploads").iterdir())


def test_the_template_can_be_taken_home_filled_in_and_sent(server: Server) -> None:
    """As a workbook, and as CSV."""
    anna = Visitor(server.url, "anna")
    book = load_workbook(io.BytesIO(anna.get("/template.xlsx").content))
    assert "Customers" in book.sheetnames
    assert anna.get("/template.csv").content.startswith(b"\xef\xbb\xbfCustomerId,")
    assert anna.get("/template.exe").status_code == 404


def test_the_service_down_at_sign_in_is_no_guess(tmp_path: Path) -> None:
    """People are told so, and are not locked out by it."""
    with Sandbox(SandboxOptions(**LOGINS)) as sandbox:
        base_url = sandbox.base_url
    with Server(base_url, tmp_path / "s", retry_wait="0.01") as server:
        for _ in range(4):
            answer = Visitor(server.url).sign_in("anna")
            assert answer.status_code == 503
            assert "Sellercloud is not answering" in answer.text
