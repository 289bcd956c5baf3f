"""Two page servers on two hosts, which share a database: any of them serves any page of a signed-in user."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from bulkupdate.redaction import Secret
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import wait_until
from tests.postgres import Postgres, find_program, run_postgres
from tests.web.conftest import LOGINS
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of, sent_customers

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")

AGAIN = {"password_again": PASSWORD}


@dataclass
class Hosts:
    """Two servers, and a user with one browser who is sent to either of them."""

    postgres: Postgres
    database: Secret
    sandbox: Sandbox
    one: Server
    two: Server

    def visit(self, server: Server, name: str = "", like: Visitor | None = None) -> Visitor:
        visitor = Visitor(server.url, name or None)
        if like is not None:
            visitor.session.cookies = like.session.cookies
        return visitor


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    options = SandboxOptions(customers=2000, requests_per_hour=0, latency_seconds=0.05, **LOGINS)
    with run_postgres() as postgres, Sandbox(options) as sandbox:
        database = postgres.make_database()
        address = database.reveal()
        one, two = (Server(sandbox.base_url, tmp_path / name, database=address) for name in ("web-1", "web-2"))
        one.machine, two.machine = "web-1", "web-2"
        with one, two:
            yield Hosts(postgres, database, sandbox, one, two)


@pytest.mark.long
def test_any_server_serves_any_page_and_asks_for_the_password_it_lacks(hosts: Hosts) -> None:
    there = hosts.visit(hosts.one, "anna")
    here = hosts.visit(hosts.two, like=there)
    assert "anna" in here.get("/").text

    sheet = path_of(there.upload("Große Liste.csv", make_csv(300)))
    assert "uploaded on the host web-1" in here.wait_for_work(here.get(sheet)).text
    asked = here.start(here.get(sheet))
    assert (asked.status_code, "This server, web-2, needs it" in asked.text) == (401, True)
    wrong = here.start(here.get(sheet), password_again="not that one")
    assert (wrong.status_code, "does not accept" in wrong.text) == (401, True)
    assert not sent_customers(hosts.sandbox)
    run = path_of(here.start(here.get(sheet), **AGAIN))

    wait_until(lambda: sent_customers(hosts.sandbox))
    assert "It was stopped by anna on web-1." in there.wait_for_end(there.post(f"{run}/stop")).text
    sent = len(sent_customers(hosts.sandbox))
    assert sent < 300
    assert "sent by the host web-2" in there.get(run).text
    assert "host web-2" in there.get("/runs").text

    there.post(f"{run}/resume")
    wait_until(lambda: len(sent_customers(hosts.sandbox)) > sent)
    hosts.one.kill()
    resumed = here.wait_for_end(here.post(f"{run}/resume"), 60)
    assert "Every row went through." in resumed.text
    here.post("/sign-out")
    hosts.one.start()
    assert "<h1>Sign in" in there.get(run).text

    dump = hosts.postgres.dump(hosts.database)
    assert "web-2" in dump
    assert PASSWORD not in dump


@pytest.mark.long
def test_what_was_changed_or_deleted_on_one_host_is_so_on_the_other(hosts: Hosts) -> None:
    there = hosts.visit(hosts.one, "anna")
    here = hosts.visit(hosts.two, like=there)
    sheet = path_of(there.upload("latin.csv", "CustomerId,Name\n100001,J\xfcrgen\n".encode("cp1252")))
    assert "J\xfcrgen" in here.wait_for_work(here.get(sheet)).text
    here.post(f"{sheet}/read-as", encoding="cp1250")
    assert "cp1250" in there.wait_for_work(there.get(sheet)).text
    here.post(f"{sheet}/remove")
    assert there.get(sheet).status_code == 404
    hosts.one.stop()
    hosts.one.start()
    assert there.get(sheet).status_code == 404
    assert not list((hosts.one.state_dir / "uploads").glob("*/*"))


@pytest.mark.long
def test_a_sheet_that_is_started_on_both_hosts_at_once_is_sent_once(hosts: Hosts) -> None:
    here, there = hosts.visit(hosts.one, "anna"), hosts.visit(hosts.two, "anna")
    sheet = path_of(here.upload("a.csv", make_csv(40)))
    pages = [visitor.wait_for_work(visitor.get(sheet)) for visitor in (here, there)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda visitor, page: visitor.start(page), (here, there), pages))
    run = sheet.replace("sheets", "runs")
    assert "Every row went through." in there.wait_for_end(there.get(run), 60).text
    assert sorted(sent_customers(hosts.sandbox)) == list(range(100_001, 100_041))


@pytest.mark.long
def test_a_page_says_that_the_database_is_down_and_works_again_after(hosts: Hosts) -> None:
    anna = hosts.visit(hosts.one, "anna")
    hosts.postgres.stop()
    down = anna.get("/")
    assert (down.status_code, "database of this server does not answer" in down.text) == (503, True)
    assert anna.get("/readyz").status_code == 503
    hosts.postgres.start()
    assert "anna" in anna.get("/").text
