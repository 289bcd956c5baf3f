"""Signing in and out over HTTP."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings
from bulkupdate.store.audit_log import AuditLog
from bulkupdate.web.app import create_app
from bulkupdate.web.views.auth_views import local_path
from tests.postgres import place_of
from tests.web.conftest import LOGINS, MADE_ID
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of, sent_customers


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb", "//[x", "/\\[x"]
)
def test_after_signing_in_the_user_stays_on_this_site(wanted: str) -> None:
    with create_app(Settings(base_url="http://127.0.0.1:1")).test_request_context():
        assert local_path(wanted) == "/"
        assert local_path("/runs?x=1") == "/runs?x=1"


def test_signing_out_ends_the_session_for_good(server: Server) -> None:
    """The old cookie opens nothing any more."""
    visitor = Visitor(server.url, "bert")
    kept = visitor.session.cookies["bulkupdate"]
    token = visitor.token()
    answer = visitor.session.post(server.url + "/sign-out", {"csrf_token": token}, allow_redirects=False, timeout=30)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    visitor.session.cookies.set("bulkupdate", kept)
    assert visitor.get("/", allow_redirects=False).status_code == 303


@pytest.mark.long
def test_an_idle_session_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    """After the minutes set; a page that refreshes itself does not keep it alive."""
    with Server(sandbox.base_url, tmp_path / "state", session_minutes="0.02") as server:
        visitor = Visitor(server.url, "anna")
        assert visitor.get("/").status_code == 200
        for _ in range(20):
            visitor.get(f"/runs/{MADE_ID}/progress")
            visitor.get("/", params={"refreshed": "1"})
            if visitor.get("/static/style.css") and _is_out(visitor):
                break
        else:
            pytest.fail("the session did not end")
        form = visitor.get("/")
        assert "You were signed out because no page was opened for 1 s." in form.text
        assert "A run that is being sent continues." in form.text


def _is_out(visitor: Visitor) -> bool:
    time.sleep(0.1)
    return visitor.get(f"/runs/{MADE_ID}/progress").status_code == 403


def test_guessing_is_slowed_and_the_account_is_spared(sandbox: Sandbox, tmp_path: Path) -> None:
    """After three wrong passwords the service is no longer asked, not even with the right one."""
    with Server(sandbox.base_url, tmp_path / "state") as server:
        sandbox.reset_log()
        visitor = Visitor(server.url)
        codes = [visitor.sign_in("ines", f"wrong {number}").status_code for number in range(6)]
        assert codes == [401, 401, 401, 429, 429, 429]
        answer = visitor.sign_in("ines")
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert len(sandbox.requests) == 3
        assert visitor.sign_in("jan").status_code == 200  # another user at the same address gets in
        assert "wrong 1" not in server.log
        assert PASSWORD not in server.log


def test_a_sign_in_while_the_service_is_down_does_not_count(tmp_path: Path) -> None:
    """The page says so, and no user is locked out by it."""
    with Sandbox(SandboxOptions(**LOGINS)) as sandbox:
        base_url = sandbox.base_url
    with Server(base_url, tmp_path / "s", retry_wait="0.01") as server:
        for _ in range(4):
            answer = Visitor(server.url).sign_in("anna")
            assert answer.status_code == 503
            assert "Sellercloud is not answering" in answer.text


@pytest.mark.parametrize("needle", [PASSWORD, "geheim%20%26%20100%25", "geheim+%26+100%25", "Z2VoZWltICYgMTAwJQ"])
def test_the_password_is_written_nowhere(server: Server, run_of_anna: str, needle: str) -> None:
    """Not in any file of the state folder, in no form."""
    for path in server.state_dir.rglob("*"):
        if path.is_file():
            assert needle.encode() not in path.read_bytes(), path


def test_a_stranger_cannot_keep_a_user_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """Wrong passwords from many addresses slow the name down, but not on a device that it has signed in on before."""
    with Server(sandbox.base_url, tmp_path / "state", "--trust-proxy", "--public-name", "localhost") as server:
        ines = Visitor(server.url)
        ines.session.headers["X-Forwarded-For"] = "10.0.0.1"
        assert ines.sign_in("ines").status_code == 200
        ines.post("/sign-out")
        for number in range(10):
            stranger = Visitor(server.url)
            stranger.session.headers["X-Forwarded-For"] = f"10.0.1.{number}"
            stranger.sign_in("ines", "wrong")
        newcomer = Visitor(server.url)
        newcomer.session.headers["X-Forwarded-For"] = "10.0.2.1"
        answer = newcomer.sign_in("ines")
        assert (answer.status_code, int(answer.headers["Retry-After"]) <= 61) == (429, True)
        assert ines.sign_in("ines").status_code == 200
        events = AuditLog(place_of(tmp_path / "state"), Clock()).read(100)
        assert sum(event.event == "sign-in refused (401)" and event.user == "ines" for event in events) == 8
        assert {"10.0.1.9", "10.0.2.1"} <= {each.address for each in events if each.event == "sign-in slowed down"}


@pytest.mark.parametrize("name", ["an\u200bna", "anna\u00ad", "anna\x00", "\u202eanna"])
def test_a_name_with_an_invisible_character_is_refused(server: Server, sandbox: Sandbox, name: str) -> None:
    before = len(sandbox.requests)
    answer = Visitor(server.url).sign_in(name)
    assert answer.status_code == 400
    assert "invisible character" in answer.text
    assert len(sandbox.requests) == before


def test_a_password_that_is_no_longer_accepted_ends_the_session(tmp_path: Path) -> None:
    """One wrong sign-in at the service, not one for each click; and the page says what to do."""
    with (
        Sandbox(SandboxOptions(customers=100, **LOGINS)) as sandbox,
        Server(sandbox.base_url, tmp_path / "s") as server,
    ):
        anna, elsewhere = Visitor(server.url, "anna"), Visitor(server.url, "anna")
        checked = anna.upload("a.csv", make_csv(3))
        sandbox.service.options = replace(sandbox.options, password="changed")
        sandbox.reset_log()
        form = anna.wait_for_work(anna.post(path_of(checked) + "/changes"))
        assert "Sellercloud no longer accepts the password that you signed in with" in form.text
        assert "no longer accepts" in elsewhere.get("/").text
        assert len(sandbox.requests) == 1
        anna.sign_in("anna", "changed")
        assert "Update 3 customers" in anna.get(path_of(checked)).text

        sandbox.service.options = replace(sandbox.options, password=PASSWORD)
        sandbox.reset_log()
        run = path_of(checked).replace("sheets", "runs")
        anna.session.post(server.url + path_of(checked) + "/start", {"csrf_token": anna.token()}, timeout=30)
        deadline = time.monotonic() + 20
        while "no longer accepts" not in anna.get(run).text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(sandbox.requests) == 1
        anna.sign_in("anna")
        page = anna.get(run)
        assert "Sellercloud no longer accepted the password." in page.text
        anna.wait_for_end(anna.post(run + "/resume"))
        assert sorted(sent_customers(sandbox)) == [100_001, 100_002, 100_003]


def test_signing_in_with_a_new_password_ends_the_sessions_with_the_old_one(tmp_path: Path) -> None:
    with (
        Sandbox(SandboxOptions(customers=100, **LOGINS)) as sandbox,
        Server(sandbox.base_url, tmp_path / "s") as server,
    ):
        old, other = Visitor(server.url, "anna"), Visitor(server.url, "bert")
        sandbox.service.options = replace(sandbox.options, password="changed")
        Visitor(server.url, "anna", "changed")
        assert "signed in elsewhere with a new password" in old.get("/").text
        assert other.get("/", allow_redirects=False).status_code == 200
