"""What happens on the server while one of its pages is being made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.settings import Settings
from bulkupdate.web import sheet_checks
from bulkupdate.web.app import create_app
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.server.background import close_services
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.uploads.start_order import StartOrder
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views import check_views, start_views
from tests.conftest import wait_until
from tests.postgres import database_of
from tests.web.served import PASSWORD, count_updates, make_csv


class InProcess:
    """The page in the test's own process, with a signed-in user."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        app = create_app(Settings(base_url=sandbox.base_url, state_dir=folder, database=database_of(folder)))
        self.context: PageContext = app.extensions["bulkupdate"]
        self.context.checks.start()
        self.client = app.test_client()
        self.post("/sign-in", username="anna", password=PASSWORD)

    def post(self, path: str, **data: Any) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/", follow_redirects=True).text)
        assert found is not None
        return self.client.post(path, data={"csrf_token": found[1], **data}, follow_redirects=True)

    def upload(self, content: bytes) -> str:
        """Return the path of a checked sheet."""
        checked = self.post("/sheets", sheet=(BytesIO(content), "a.csv"))
        while "<h1>Checking" in checked.text:
            checked = self.client.get(checked.request.path)
        return checked.request.path


@pytest.fixture
def in_process(sandbox: Sandbox, tmp_path: Path) -> Iterator[InProcess]:
    page = InProcess(sandbox, tmp_path)
    yield page
    close_services(page.context)


def test_a_sheet_that_is_checked_again_just_as_it_is_started_is_not_sent(
    in_process: InProcess, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tab changes what may be written after this start has compared the plan."""
    compare = start_views.read_order

    def read_order(stored: Upload, outcome: CheckOutcome) -> StartOrder:
        order = compare(stored, outcome)
        sheet_checks.check_again(stored, lambda upload: replace(upload, write_policy="Email=never"))
        return order

    path = in_process.upload(make_csv(2, first_id=121_001))
    monkeypatch.setattr(start_views, "read_order", read_order)
    sandbox.reset_log()
    assert in_process.post(path + "/start").status_code == 409
    assert count_updates(sandbox) == 0


def test_a_second_click_leads_to_a_run_that_has_ended_meanwhile(
    in_process: InProcess, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not ask to confirm that the file was sent before: it was this run that sent it."""
    path, find = in_process.upload(make_csv(1, first_id=121_010)), start_views.find_outcome

    def find_outcome_late(stored: Upload) -> CheckOutcome:
        monkeypatch.setattr(start_views, "find_outcome", find)
        first = Thread(target=in_process.post, args=(path + "/start",))
        first.start()
        first.join()
        wait_until(lambda: in_process.context.jobs.find(stored.id) is None)
        return find(stored)

    monkeypatch.setattr(start_views, "find_outcome", find_outcome_late)
    sandbox.reset_log()
    second = in_process.post(path + "/start")
    assert (second.status_code, second.request.path) == (200, path.replace("sheets", "runs"))
    assert count_updates(sandbox) == 1


def test_a_start_that_ends_while_its_page_is_made_does_not_show_the_plan_again(
    in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that rows are being selected, and refreshes itself: the next one knows more."""
    path, is_over, (session,) = in_process.upload(make_csv(2)), Event(), in_process.context.sessions.all()

    def wait(_context: RunContext, _watch: WatchReading) -> None:
        is_over.wait()

    job = Job(path.rpartition("/")[2], session, 0, wait)
    assert in_process.context.jobs.launch(job) is job

    def read_outcome_late(stored: Upload) -> CheckOutcome | None:
        is_over.set()
        assert job.thread is not None
        job.thread.join()
        return read_outcome(stored)

    monkeypatch.setattr(check_views, "read_outcome", read_outcome_late)
    assert "The rows to send are being selected" in in_process.client.get(path).text
    assert "The plan" in in_process.client.get(path).text
