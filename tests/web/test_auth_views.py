"""Signing in and out over HTTP."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings
from bulkupdate.web.app import create_app
from bulkupdate.web.auth_views import local_path
from tests.web.conftest import LOGINS, MADE_ID
from tests.web.served import PASSWORD, Server, Visitor


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb"])
def test_after_signing_in_one_stays_on_this_site(wanted: str) -> None:
    with create_app(Settings(base_url="http://127.0.0.1:1")).test_request_context():
        assert local_path(wanted) == "/"
        assert local_path("/runs?x=1") == "/runs?x=1"


def test_signing_out_ends_the_session_for_good(server: Server) -> None:
    """The old cookie, kept by somebody, opens nothing any more."""
    visitor = Visitor(server.url, "bert")
    kept = visitor.session.cookies["bulkupdate"]
    visitor.post("/sign-out")
    visitor.session.cookies.set("bulkupdate", kept)
    assert visitor.get("/", allow_redirects=False).status_code == 303


def test_an_idle_session_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    """After the minutes set; a page that refreshes itself does not keep it alive."""
    with Server(sandbox.base_url, tmp_path / "state", session_minutes="0.02") as server:
        visitor = Visitor(server.url, "anna")
        assert visitor.get("/").status_code == 200
        for _ in range(20):
            visitor.get(f"/runs/{MADE_ID}/progress")
            if visitor.get("/static/style.css") and _is_out(visitor):
                break
        else:
            pytest.fail("the session did not end")


def _is_out(visitor: Visitor) -> bool:
    time.sleep(0.1)
    return visitor.get(f"/runs/{MADE_ID}/progress").status_code == 403


def test_guessing_is_slowed_and_the_account_is_spared(sandbox: Sandbox, tmp_path: Path) -> None:
    """After three wrong passwords the service is asked no more, however often one attempts, even with the right one."""
    with Server(sandbox.base_url, tmp_path / "state") as server:
        sandbox.reset_log()
        visitor = Visitor(server.url)
        codes = [visitor.sign_in("ines", f"wrong {number}").status_code for number in range(6)]
        assert codes == [401, 401, 401, 429, 429, 429]
        answer = visitor.sign_in("ines")
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert len(sandbox.requests) == 3
        assert visitor.sign_in("jan").status_code == 200  # somebody else at the same address gets in
        assert "wrong 1" not in server.log
        assert PASSWORD not in server.log


def test_the_service_down_at_sign_in_is_no_guess(tmp_path: Path) -> None:
    """People are told so, and are not locked out by it."""
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
