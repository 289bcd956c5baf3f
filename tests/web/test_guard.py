"""What a stranger, a guesser or a careless form meets: acceptance checks 48 to 52, 54, 55, 57, 59."""

from __future__ import annotations

import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bulkupdate.sandbox.server import Sandbox
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of

MADE_ID = "20260114-093849-k3v9x2mq"


@pytest.fixture(scope="module")
def anna(server: Server) -> Visitor:
    return Visitor(server.url, "anna")


@pytest.fixture(scope="module")
def run_of_anna(anna: Visitor) -> str:
    """The path of a finished run that is Anna's."""
    return path_of(anna.wait_for_end(anna.start(anna.upload("own.csv", make_csv(3)), snapshot="1")))


def put_count(sandbox: Sandbox) -> int:
    return sum(request.method == "PUT" for request in sandbox.requests)


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
    import time

    time.sleep(0.1)
    return visitor.get(f"/runs/{MADE_ID}/progress").status_code == 403


def test_guessing_is_slowed_and_the_account_is_spared(sandbox: Sandbox, tmp_path: Path) -> None:
    """After three wrong passwords the service is asked no more, however often one tries, even with the right one."""
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
    """DNS rebinding: a name of somebody else's that leads to this machine."""
    answer = requests.get(server.url + "/sign-in", headers={"Host": host}, timeout=30)
    assert answer.status_code == 400


def test_get_changes_nothing(server: Server, anna: Visitor, run_of_anna: str, sandbox: Sandbox) -> None:
    """What changes something wants a POST."""
    before = put_count(sandbox)
    for path in (run_of_anna + "/retry", run_of_anna + "/resume", run_of_anna + "/stop", "/sign-out", "/sheets"):
        assert anna.get(path).status_code == 405
    assert put_count(sandbox) == before


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
    """All of it comes from two files of this server."""
    for path in ("/", run_of_anna, "/runs"):
        page = anna.get(path).text
        assert "style=" not in page
        assert not re.search(r"\son\w+=", page)
        assert re.findall(r"<script[^>]*>", page) == ['<script src="/static/page.js" defer>']
        assert "//" not in re.sub(r"https?://127\.0\.0\.1", "", " ".join(re.findall(r'(?:src|href)="([^"]*)"', page)))


def test_other_peoples_runs_do_not_exist(server: Server, run_of_anna: str, anna: Visitor, sandbox: Sandbox) -> None:
    """Seeing, downloading, starting, stopping, undoing by changing the id: 404 all over."""
    sheet = path_of(anna.upload("private.csv", make_csv(2)))
    bert = Visitor(server.url, "bert")
    for path in (
        run_of_anna,
        *(run_of_anna + end for end in ("/progress", "/results.xlsx", "/to-fix.xlsx", "/undo.xlsx")),
    ):
        assert bert.get(path).status_code == 404
        assert anna.get(path).status_code == 200 or "to-fix" in path
    for path in (sheet, sheet + "/report.xlsx", sheet + "/annotated.xlsx"):
        assert bert.get(path).status_code == 404
    before = put_count(sandbox)
    for path in (
        sheet + "/start",
        sheet + "/changes",
        sheet + "/remove",
        run_of_anna + "/stop",
        run_of_anna + "/retry",
    ):
        assert bert.post(path).status_code == 404
    assert put_count(sandbox) == before
    assert "private.csv" not in bert.get("/runs").text
    assert "private.csv" in anna.get("/runs").text


def test_an_admin_sees_all_but_sends_nothing_of_others(server: Server, run_of_anna: str) -> None:
    """Names in BULKUPDATE_ADMINS, whatever their case."""
    admin = Visitor(server.url, "admin")
    assert "own.csv" in admin.get("/runs").text
    assert admin.get(run_of_anna + "/results.xlsx").status_code == 200
    assert admin.post(run_of_anna + "/resume").status_code == 403


def test_what_is_clicked_twice_runs_once(anna: Visitor, sandbox: Sandbox) -> None:
    """Double click, reload, back and again: one run, each row sent once."""
    from concurrent.futures import ThreadPoolExecutor

    checked = anna.upload("twice.csv", make_csv(5, first_id=120_001))
    sandbox.reset_log()
    token = anna.token()

    def click(_: int) -> str:
        data = {"csrf_token": token}
        answer = requests.post(
            f"{anna.url}{path_of(checked)}/start", data, cookies=dict(anna.session.cookies), timeout=30
        )
        return path_of(answer)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(click, range(6)))) == 1
    run = anna.wait_for_end(anna.start(checked))
    assert path_of(run) == path_of(checked).replace("sheets", "runs")
    assert put_count(sandbox) == 5


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("../../x.csv", 200),
        ("C:\\temp\\x.csv", 200),
        ("\u202evsc.csv", 200),
        ("<script>alert(1)<script>.csv", 200),
        ("a" * 300 + ".csv", 200),
        ('x";filename="y.csv', 200),
        (".htaccess", 400),
        ("x.csv\x00.exe", 400),
        ("x.exe", 400),
        ("x.html", 400),
        ("x.xlsm", 400),
        ("x.exe.csv", 400),
        ("", 400),
    ],
)
def test_file_names(server: Server, anna: Visitor, name: str, status: int) -> None:
    """Stored under a name of our own, shown escaped, harmless in the header of a download; or refused by list."""
    answer = anna.upload(name, make_csv(1))
    assert answer.status_code == status, answer.text
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text
    if status == 200:
        header = anna.get(path_of(answer) + "/report.xlsx").headers["Content-Disposition"]
        assert header.startswith("attachment; filename=")
        assert not re.search(r"[\r\n<>/\\\x00]", header.partition("filename*")[0])
    for path in server.state_dir.rglob("*"):
        assert re.fullmatch(r"[\w.\-]+", path.name), path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b"PK\x03\x04rest"), ("x.xlsx", b"MZ\x90\x00 a program"), ("x.csv", b"<html><script>1</script>"),
        ("x.xlsx", b"CustomerId,Name\n1,a\n"), ("x.csv", b"%PDF-1.7"), ("x.csv", b""),
    ],
)  # fmt: skip
def test_wrong_content_is_refused_in_one_sentence(anna: Visitor, name: str, content: bytes) -> None:
    """Whatever the name says."""
    page = anna.upload(name, content).text
    assert f"{name} was rejected" in page
    assert re.search(rf"<strong>{re.escape(name)} is ", page), page


def test_the_limit_of_an_upload_holds_to_the_byte(sandbox: Sandbox, tmp_path: Path) -> None:
    """One byte more: 413 before the body has been sent; also without Content-Length, in chunks."""
    limit = 100_000
    with Server(sandbox.base_url, tmp_path / "state", upload_bytes=str(limit)) as server:
        visitor = Visitor(server.url, "anna")
        small = visitor.upload("small.csv", make_csv(1000))
        assert small.status_code == 200
        assert post_raw(server, visitor, limit, b"x" * 100).startswith(b"HTTP/1.1 4")  # awaited, not cut off
        assert b" 413 " in post_raw(server, visitor, limit + 1, b"")
        assert b" 413 " in post_chunks(server, visitor, limit + 1)
        assert sandbox.requests


def head_of(visitor: Visitor, *more: str) -> bytes:
    cookie = visitor.session.cookies["bulkupdate"]
    lines = ("POST /sheets HTTP/1.1", "Host: localhost", f"Cookie: bulkupdate={cookie}", "Connection: close",
             "Content-Type: multipart/form-data; boundary=b", *more)  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post_raw(server: Server, visitor: Visitor, length: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head_of(visitor, f"Content-Length: {length}"))
        connection.sendall(sent.ljust(length, b"x") if sent else b"")
        return connection.recv(100)


def post_chunks(server: Server, visitor: Visitor, length: int) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head_of(visitor, "Transfer-Encoding: chunked"))
        for _ in range(length // 10_000 + 1):
            connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        return connection.recv(100)


def test_a_thousand_fields_are_refused(server: Server, anna: Visitor) -> None:
    """Of whatever kind of form."""
    fields = {f"f{number}": "x" for number in range(1000)}
    assert anna.post("/sheets", **fields).status_code == 413
    assert anna.post("/sheets", files={"sheet": ("a.csv", b"")}, **fields).status_code == 413
    assert anna.post("/sign-out", **fields).status_code == 413
    assert anna.get("/?" + "&".join(fields)).status_code == 400
    assert anna.get("/").status_code == 200


def test_a_bug_shows_a_number_and_nothing_else(server: Server, anna: Visitor) -> None:
    """No stack, no path; the details are in a file that only the server's user can read, and not in the log."""
    checked = path_of(anna.upload("broken.csv", make_csv(4, bad_every=2)))
    folder = server.state_dir / "uploads" / checked.rpartition("/")[2]
    (folder / "check.sqlite3").write_text("unheard of " * 1000)
    answer = anna.get(checked)
    assert answer.status_code == 500
    number = re.search(r"Reference number: <strong>([0-9a-f]{8})</strong>", answer.text)
    assert number is not None
    assert "Traceback" not in answer.text
    assert str(server.state_dir) not in answer.text
    kept = server.state_dir / "errors" / f"{number[1]}.txt"
    assert "Traceback" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "Traceback" not in server.log
    assert "unheard" not in server.log


def test_what_is_kept_is_for_the_servers_user_only(server: Server, run_of_anna: str) -> None:
    """Files 0600, folders 0700; and no customer data in the log."""
    for path in (server.state_dir, *server.state_dir.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert "example.com" not in server.log
    assert "New 1" not in server.log


@pytest.mark.parametrize("needle", [PASSWORD, "geheim%20%26%20100%25", "geheim+%26+100%25", "Z2VoZWltICYgMTAwJQ"])
def test_the_password_is_written_nowhere(server: Server, run_of_anna: str, needle: str) -> None:
    """Not in any file of the state folder, in no form."""
    for path in server.state_dir.rglob("*"):
        if path.is_file():
            assert needle.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_other_addresses_are_refused_without_a_proxy(host: str, tmp_path: Path) -> None:
    """Passwords would cross the network unencrypted."""
    ended = subprocess.run(
        [sys.executable, "-m", "bulkupdate", "serve", "--host", host, "--port", "0", "--base-url", "http://127.0.0.1:9",
         "--state-dir", str(tmp_path)], capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "--trust-proxy" in ended.stderr


@pytest.fixture(scope="module")
def proxied(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Behind a proxy that brings TLS, with two pairs of eyes, and uploads that live for a moment."""
    state = tmp_path_factory.mktemp("proxied") / "state"
    options = ("--trust-proxy", "--public-name", "bulk.example.com")
    with Server(sandbox.base_url, state, *options, approval="required") as server:
        yield server


def test_behind_a_proxy_the_cookie_is_secure(proxied: Server) -> None:
    """Where the page came over TLS; and the public name is known, no other."""
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "bulk.example.com"}
    answer = requests.get(f"{proxied.url}/sign-in", headers=headers, timeout=30)
    assert answer.status_code == 200
    assert "; Secure" in answer.headers["Set-Cookie"]
    headers["X-Forwarded-Host"] = "evil.example"
    assert requests.get(f"{proxied.url}/sign-in", headers=headers, timeout=30).status_code == 400


def test_two_pairs_of_eyes(proxied: Server, sandbox: Sandbox) -> None:
    """Who uploads cannot start; another person sees the sheet and can; both see the run, a third does not."""
    chris, dora, eva = (Visitor(proxied.url, name) for name in ("chris", "dora", "eva"))
    checked = chris.upload("approved.csv", make_csv(4, first_id=130_001))
    assert "Approval required" in checked.text
    sandbox.reset_log()
    assert chris.start(checked).status_code == 403
    assert dora.post(path_of(checked) + "/remove").status_code == 403
    assert not put_count(sandbox)
    assert "approved.csv" in dora.get("/runs").text
    run = dora.wait_for_end(dora.start(checked))
    assert put_count(sandbox) == 4
    assert "by dora" in run.text
    assert chris.get(path_of(run)).status_code == 200
    assert eva.get(path_of(run)).status_code == 404
    assert eva.get(path_of(checked) + "/report.xlsx").status_code == 404
