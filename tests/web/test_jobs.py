"""Runs of several users at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.web.conftest import USERS
from tests.web.served import Server, Visitor, make_csv, sent_customers


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
