"""Runs of several users at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import SignInRefusedError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.settings import Settings
from bulkupdate.web.jobs import Job, Jobs
from tests.web.conftest import MADE_ID, USERS
from tests.web.served import Server, Visitor, make_csv, make_session, sent_customers


@pytest.mark.long
def test_ten_users_with_runs_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each keeps their own data and their own quota, shared by two runs of one login."""
    names = USERS.split(",")[:10]
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
    sent = sent_customers(sandbox)
    assert len(sent) == len(set(sent)) == 200


def test_a_refused_session_ends_before_its_run_does(sandbox: Sandbox, tmp_path: Path) -> None:
    """Otherwise a page that shows the end of the run belongs to a session that is about to end."""
    alive_at_refusal = []
    jobs = Jobs(Settings(base_url=sandbox.base_url, state_dir=tmp_path), Clock())
    jobs.on_refused = lambda _session: alive_at_refusal.append(jobs.find(MADE_ID) is not None)

    def sign_in(context: RunContext, _watch: WatchReading) -> None:
        context.client.sign_in()

    job = jobs.launch(Job(MADE_ID, make_session("anna", "changed since"), prepare=sign_in))
    assert job is not None
    assert job.thread is not None
    job.thread.join(20)
    assert alive_at_refusal == [True]
    assert isinstance(jobs.last_error(MADE_ID), SignInRefusedError)
    assert jobs.find(MADE_ID) is None
