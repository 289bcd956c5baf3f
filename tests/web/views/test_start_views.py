"""Starting a checked sheet over HTTP: the choices, what has to be agreed to, and that it runs once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import wait_until
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
        return path_of(answer).rpartition("/")[2]  # of the run, or of the sheet whose rows are still being selected

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(click, range(6)))) == 1
    run = anna.wait_for_end(anna.start(checked))
    assert path_of(run) == path_of(checked).replace("sheets", "runs")
    assert count_updates(sandbox) == 5


@pytest.mark.long
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
        run = path_of(answers[0]).replace("/sheets/", "/runs/")  # writing the run down may take longer than an answer
        wait_until(lambda: visitors[0].get(run).status_code == 200 and bool(sent_customers(sandbox)), 60)
        for visitor in visitors:
            visitor.post(run + "/stop")
        visitors[0].wait_for_end(visitors[0].get(run))
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


def test_only_what_differs_is_sent(anna: Visitor, sandbox: Sandbox) -> None:
    """Compared in the background first; the values of before are kept without another read."""
    content = make_csv(60, first_id=121_001, name="Differs")
    anna.wait_for_end(anna.start(anna.upload("first.csv", content)))
    changed = content.replace(b"Differs 7,", b"Changed 7,")
    checked = anna.upload("second.csv", changed)
    assert "up to 2 more requests" in checked.text
    sandbox.reset_log()
    run = anna.wait_for_end(anna.start(checked, only_changes="1", snapshot="1"))
    assert sent_customers(sandbox) == [121_008]
    assert len(sandbox.requests) <= 2 + 1 + 1  # two reads, the sign-in, one update
    assert anna.get(path_of(run) + "/undo.xlsx").status_code == 200


def test_rows_that_were_confirmed_are_left_out_without_a_request(anna: Visitor, sandbox: Sandbox) -> None:
    content = make_csv(5, first_id=122_001)
    anna.wait_for_end(anna.start(anna.upload("night1.csv", content)))
    checked = anna.upload("night2.csv", content + b"122006,New 6,f@example.com\n")
    sandbox.reset_log()
    anna.wait_for_end(anna.start(checked, since_last="1"))
    assert sent_customers(sandbox) == [122_006]


def test_a_limited_run_sends_the_first_rows_and_resumes_with_the_rest(anna: Visitor, sandbox: Sandbox) -> None:
    checked = anna.upload("limited.csv", make_csv(6, first_id=123_001))
    assert anna.start(checked, limit="many").status_code == 400
    sandbox.reset_log()
    run = anna.wait_for_end(anna.start(checked, limit="2"))
    assert sorted(sent_customers(sandbox)) == [123_001, 123_002]
    assert "Resume" in run.text
    anna.wait_for_end(anna.post(path_of(run) + "/resume"))
    assert sorted(sent_customers(sandbox)) == list(range(123_001, 123_007))


def test_a_limit_of_the_form_counts_what_would_really_change(anna: Visitor, sandbox: Sandbox) -> None:
    """After the comparison: a sheet that is beyond it is refused on its page, and nothing is sent."""
    content = make_csv(5, first_id=124_001, name="Counted")
    anna.wait_for_end(anna.start(anna.upload("base.csv", content)))
    checked = anna.upload("changed.csv", content.replace(b"Counted", b"Recounted"))
    sandbox.reset_log()
    refused = anna.start(checked, only_changes="1", max_changes="60%")
    assert "The file would update 5 customers of its 5 rows; the limit is 60% (3)" in refused.text
    assert not sent_customers(sandbox)
    assert anna.start(checked, max_changes="4").status_code == 400
    assert anna.start(checked, max_clears="few").status_code == 400
    anna.wait_for_end(anna.start(checked, only_changes="1", max_changes="5"))
    assert len(sent_customers(sandbox)) == 5


def test_previous_values_are_kept_unless_that_costs_much(anna: Visitor) -> None:
    """Below five minutes of the quota: 900 requests. IsWholesale is in no list, so each of its rows is one request."""
    cheap = anna.upload("cheap.csv", make_csv(20, first_id=125_001))
    assert 'name="snapshot" value="1" checked' in cheap.text
    rows = "".join(f"{125_001 + place},x\n" for place in range(900))
    dear = anna.upload("dear.csv", f"CustomerId,Comments\n{rows}".encode())
    assert "900 more requests" in dear.text
    assert 'name="snapshot" value="1" checked' not in dear.text


def test_the_number_of_customers_is_confirmed_if_it_is_large_or_was_sent_before(
    anna: Visitor, sandbox: Sandbox
) -> None:
    content = make_csv(2, first_id=126_001)
    first = anna.upload("once.csv", content)
    assert 'name="confirmed"' not in first.text
    anna.wait_for_end(anna.start(first))
    again = anna.upload("again.csv", content)
    assert "Yes, update 2 customers, again" in again.text
    large = anna.upload("large.csv", make_csv(1_000, first_id=126_001))
    assert "Yes, update 1,000 customers" in large.text
    sandbox.reset_log()
    for checked in (again, large):
        assert anna.post(path_of(checked) + "/start").status_code == 400
    assert not sent_customers(sandbox)


@pytest.mark.long
def test_a_comparison_is_shown_and_can_be_stopped_before_anything_is_sent(tmp_path: Path) -> None:
    """Meanwhile the sheet can be neither deleted nor started a second time."""
    slow = SandboxOptions(customers=300, latency_seconds=0.3, **LOGINS)
    with Sandbox(slow) as sandbox, Server(sandbox.base_url, tmp_path / "s", concurrency="1") as server:
        anna, bert = Visitor(server.url, "anna"), Visitor(server.url, "bert")
        rows = "".join(f"{100_001 + place},x\n" for place in range(200))
        path = path_of(checked := anna.upload("slow.csv", f"CustomerId,Comments\n{rows}".encode()))
        shown = anna.post(path + "/start", only_changes="1")
        assert "The rows to send are being selected; nothing has been sent yet." in shown.text
        anna.post(path + "/remove")
        assert path_of(anna.post(path + "/start")) == path
        assert bert.post(path + "/start/stop").status_code == 404
        assert "It was stopped before the first update." in anna.wait_for_work(anna.post(path + "/start/stop")).text
        assert not sent_customers(sandbox)
        assert path_of(anna.start(checked, limit="1")) == path.replace("sheets", "runs")
