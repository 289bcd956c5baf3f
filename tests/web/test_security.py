"""Sessions, tokens, host names and headers over HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from bulkupdate.sandbox.server import Sandbox
from tests.web.conftest import MADE_ID
from tests.web.served import PASSWORD, Server, Visitor, count_updates, make_csv


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/runs",
        "/template.xlsx",
        f"/sheets/{MADE_ID}",
        f"/runs/{MADE_ID}",
        f"/runs/{MADE_ID}/results.xlsx",
        "/no",
    ],
)
def test_nothing_is_shown_without_signing_in(server: Server, path: str) -> None:
    """Every page leads to the form, even one that does not exist."""
    answer = Visitor(server.url).get(path, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")
    form = Visitor(server.url).get(answer.headers["Location"]).text
    assert ("Sign in to open that page." in form) == (path != "/")


def test_the_cookie_is_for_the_page_alone(server: Server) -> None:
    """HttpOnly and SameSite always; the id in it is not the password, and changes with the sign-in."""
    visitor = Visitor(server.url)
    before = visitor.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in before
    assert "SameSite=Lax" in before
    first = visitor.session.cookies["bulkupdate"]
    visitor.sign_in("anna")
    assert visitor.session.cookies["bulkupdate"] != first


def test_what_a_browser_fetches_beside_a_page_leaves_the_form_alone(server: Server) -> None:
    """An icon asked for by itself is not led to the form: a new token would void that of the form on show."""
    visitor = Visitor(server.url)
    token = visitor.token("/sign-in")
    answer = visitor.get("/favicon.ico", headers={"Sec-Fetch-Dest": "image"}, allow_redirects=False)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    login = {"csrf_token": token, "username": "anna", "password": PASSWORD}
    assert visitor.session.post(server.url + "/sign-in", login, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "path", ["/sheets", f"/sheets/{MADE_ID}/start", f"/runs/{MADE_ID}/stop", "/sign-out", "/sign-in"]
)
@pytest.mark.parametrize("token", [None, "foreign"])
def test_a_form_without_our_token_is_refused(server: Server, anna: Visitor, path: str, token: str | None) -> None:
    """403, and nothing is stored."""
    before = sorted((server.state_dir / "uploads").glob("*")) if (server.state_dir / "uploads").exists() else []
    data = {"username": "anna", "password": PASSWORD} | ({"csrf_token": token} if token else {})
    answer = anna.session.post(server.url + path, data, files={"sheet": ("a.csv", make_csv(1))}, timeout=30)
    assert answer.status_code == 403
    assert (sorted((server.state_dir / "uploads").glob("*")) if before else []) == before


def test_a_token_of_another_session_is_refused(server: Server, anna: Visitor) -> None:
    """Each session has its own."""
    foreign = Visitor(server.url, "bert").token()
    assert anna.session.post(f"{server.url}/sign-out", {"csrf_token": foreign}, timeout=30).status_code == 403
    assert anna.get("/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "localhost.evil"])
def test_a_foreign_host_name_is_refused(server: Server, host: str) -> None:
    """DNS rebinding: a foreign name that resolves to this machine."""
    answer = requests.get(server.url + "/sign-in", headers={"Host": host}, timeout=30)
    assert answer.status_code == 400


def test_get_changes_nothing(server: Server, anna: Visitor, run_of_anna: str, sandbox: Sandbox) -> None:
    """What changes something wants a POST."""
    before = count_updates(sandbox)
    for path in (run_of_anna + "/retry", run_of_anna + "/resume", run_of_anna + "/stop", "/sign-out", "/sheets"):
        assert anna.get(path).status_code == 405
    assert count_updates(sandbox) == before


def test_every_answer_carries_the_headers(server: Server, anna: Visitor, run_of_anna: str) -> None:
    """No script of others, no frame, no sniffing, no copy in a cache; on pages, downloads and errors alike."""
    for path in ("/", run_of_anna, run_of_anna + "/results.xlsx", "/none", "/static/style.css"):
        headers = anna.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")


def test_pages_have_no_script_or_style_of_their_own(anna: Visitor, run_of_anna: str) -> None:
    """All of it comes from files of this server."""
    for path in ("/", run_of_anna, "/runs"):
        page = anna.get(path).text
        assert "style=" not in page
        assert not re.search(r"\son\w+=", page)
        scripts = set(re.findall(r"<script[^>]*>", page)) - {'<script src="/static/upload.js" defer>'}
        assert scripts == {'<script src="/static/page.js" defer>'}
        assert "//" not in re.sub(r"https?://127\.0\.0\.1", "", " ".join(re.findall(r'(?:src|href)="([^"]*)"', page)))


def test_a_thousand_fields_are_refused(server: Server, anna: Visitor) -> None:
    """Of whatever kind of form."""
    fields = {f"f{number}": "x" for number in range(1000)}
    assert anna.post("/sheets", **fields).status_code == 413
    assert anna.post("/sheets", files={"sheet": ("a.csv", b"")}, **fields).status_code == 413
    assert anna.post("/sign-out", **fields).status_code == 413
    assert anna.get("/?" + "&".join(fields)).status_code == 400
    assert anna.get("/").status_code == 200


def test_behind_a_proxy_the_cookie_is_secure(proxied: Server) -> None:
    """Where the page came over TLS; and the public name is known, no other."""
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "bulk.example.com"}
    answer = requests.get(f"{proxied.url}/sign-in", headers=headers, timeout=30)
    assert answer.status_code == 200
    assert "; Secure" in answer.headers["Set-Cookie"]
    headers["X-Forwarded-Host"] = "Bulk.Example.COM:8443"  # names are compared without case and port
    assert requests.get(f"{proxied.url}/sign-in", headers=headers, timeout=30).status_code == 200
    headers["X-Forwarded-Host"] = "evil.example"
    assert requests.get(f"{proxied.url}/sign-in", headers=headers, timeout=30).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://bulk.example.com:8443"}, 403),  # without a token: our own form is asked for one
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_form_of_another_site_is_told_so(proxied: Server, headers: dict[str, str], status: int) -> None:
    """The proxy may pass on the host without its port (nginx's $host): then the form is still ours."""
    given = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "bulk.example.com", **headers}
    answer = requests.post(f"{proxied.url}/sign-in", headers=given, timeout=30)
    assert answer.status_code == status
    is_ours = "bulk.example.com:8443" in given["Origin"]
    assert ("This form was out of date" in answer.text) == is_ours
    assert ("sent by another site" in answer.text or "not the one that the proxy" in answer.text) != is_ours


@pytest.mark.parametrize("host", ["::1", "127.0.0.2"])
def test_the_page_is_served_at_every_loopback_address(sandbox: Sandbox, tmp_path: Path, host: str) -> None:
    with Server(sandbox.base_url, tmp_path / "state", "--host", host) as server:
        shown = f"[{host}]" if ":" in host else host
        answer = requests.get(f"http://{shown}:{server.port}/sign-in", timeout=30)
        assert answer.status_code == 200
