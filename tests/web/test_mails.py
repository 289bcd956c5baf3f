"""Mails to users of the page, over a real mail server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.receivers import PostOffice
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of, sent_customers

ANNA = "anna@example.com"


@pytest.fixture
def office() -> Iterator[PostOffice]:
    office = PostOffice()
    yield office
    office.close()


def mail_settings(office: PostOffice) -> dict[str, str]:
    return {
        "mail_host": "127.0.0.1", "mail_port": str(office.open()), "mail_security": "none",
        "mail_from": "server@example.com", "mail_to": "office@example.com",
    }  # fmt: skip


def wait_for_mails(office: PostOffice, count: int) -> list[tuple[str, str, str]]:
    """Return address, subject and text of each mail, once there are so many."""
    deadline = time.monotonic() + 30
    while len(office.mails) < count:
        assert time.monotonic() < deadline, office.mails
        time.sleep(0.05)
    return [(mail["To"], mail["Subject"], mail.get_content()) for mail in office.mails]


def test_the_end_of_a_run_is_mailed_to_the_user_who_wished_for_it(tmp_path: Path, office: PostOffice) -> None:
    """With counts and a link, and no cell of the sheet; not if that user stops the run."""
    plan = ScheduledFaults(customers={100_002: ["conflict-409"]})
    options = SandboxOptions(username=f"{ANNA},bert", password=PASSWORD)
    with (
        Sandbox(options, plan=plan) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", concurrency="1", **mail_settings(office)) as server,
    ):
        anna, bert = Visitor(server.url, ANNA), Visitor(server.url, "bert")
        checked = anna.upload("mine.csv", make_csv(3))
        assert f"Send a mail to {ANNA} when it has ended" in checked.text
        run = anna.wait_for_end(anna.start(checked, mail="1"))
        anna.wait_for_end(anna.start(anna.upload("quiet.csv", make_csv(1))))
        sandbox.service.options = replace(options, latency_seconds=0.1)  # so that it is being sent when it is stopped
        stopped = anna.start(anna.upload("stopped.csv", make_csv(200)), mail="1")
        anna.wait_for_end(anna.post(path_of(stopped) + "/stop"))
        sandbox.service.options = options
        bert.wait_for_end(bert.start(bert.upload("other.csv", make_csv(1)), mail="1"))
        mine, other = wait_for_mails(office, 2)
        assert mine[:2] == (ANNA, "bulkupdate: mine.csv: finished, 1 of 3 rows did not go through")
        assert "rejected: 1" in mine[2]
        assert f"{server.url}{path_of(checked)}" in mine[2]
        assert "a0@example.com" not in mine[2]
        assert anna.get(mine[2].rpartition("The run: ")[2].strip().removeprefix(server.url)).url == run.url
        assert other[:2] == ("office@example.com", "bulkupdate: other.csv: finished")


def test_an_approval_is_asked_for_refused_with_a_reason_and_given_with_a_comment(
    tmp_path: Path, office: PostOffice
) -> None:
    options = SandboxOptions(username=f"{ANNA},bert", password=PASSWORD)
    with (
        Sandbox(options) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", approval="required", **mail_settings(office)) as server,
    ):
        anna, bert = Visitor(server.url, ANNA), Visitor(server.url, "bert")
        path = path_of(checked := anna.upload("ours.csv", make_csv(2)))
        assert anna.post(path + "/review/refuse", comment="mine").status_code == 403
        assert bert.post(path + "/review/ask").status_code == 403
        anna.post(path + "/review/ask", comment="the new <prices>")
        assert "asked for approval" in (page := bert.get(path).text)
        assert "the new &lt;prices&gt;" in page
        assert bert.post(path + "/review/refuse").status_code == 400
        bert.post(path + "/review/refuse", comment="wrong list")
        assert "Refused by bert" in anna.get(path).text
        assert "refused</span>" in anna.get("/runs").text
        assert bert.start(checked).status_code == 409
        assert not sent_customers(sandbox)
        anna.post(path + "/review/ask", comment="corrected")
        run = bert.wait_for_end(bert.start(checked, comment="looks good"))
        assert "looks good" in anna.get(path_of(run)).text
        asked, refused, again = wait_for_mails(office, 3)
        assert asked[:2] == ("office@example.com", "bulkupdate: approval of ours.csv")
        assert "2 customers would be updated" in asked[2]
        assert refused[:2] == (ANNA, "bulkupdate: ours.csv was refused")
        assert "wrong list" in refused[2]
        assert "corrected" in again[2]
