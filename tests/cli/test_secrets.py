"""Password and token appear nowhere (acceptance 32): not in any stream, file, journal or argument, in no form."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from bulkupdate.sandbox.responses import SandboxResponse
from tests.conftest import find_puts, finish, wait_until, write_sheet

PASSWORD = "p/S+w ö&=rd'1"


def find_forms(secret: str) -> set[bytes]:
    """The secret and its encodings; base64 in each of the three places it can stand in a longer text."""
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)}
    encoded = {form.encode() for form in forms}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret.encode())
        encoded.add(text[4 if shift else 0 : -4])
    return encoded


def assert_nowhere(secrets: list[str], texts: dict[str, bytes]) -> None:
    for secret in secrets:
        for form in find_forms(secret):
            assert [name for name, text in texts.items() if form in text] == []


def read_everything(folder: Path) -> dict[str, bytes]:
    """Every file's bytes, and what a workbook holds within."""
    texts = {}
    for path in folder.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    texts |= {f"{path}/{name}": archive.read(name) for name in archive.namelist()}
    return texts


@pytest.fixture
def told(make_sandbox, run_program):
    """A sandbox with a telling password; the program knows it; all tokens it gave out."""
    tokens: list[str] = []
    sandbox = make_sandbox(password=PASSWORD, latency_seconds=0.02)
    issue = sandbox.service._tokens.issue

    def remember(user, now):
        token = issue(user, now)
        tokens.append(token.text)
        return token

    sandbox.service._tokens.issue = remember
    run_program.environment |= {
        "BULKUPDATE_BASE_URL": sandbox.base_url, "BULKUPDATE_PASSWORD": PASSWORD, "BULKUPDATE_MAX_ATTEMPTS": "2",
    }  # fmt: skip
    return sandbox, tokens


def test_no_command_leaves_a_secret_anywhere(told, run_program, tmp_path):
    sandbox, tokens = told

    def plan(call):
        """A service that repeats in its errors what it was sent."""
        if call.kind != "write" or call.number % 3:
            return None
        echo = f"Login {PASSWORD} {quote(PASSWORD)} with Bearer {tokens[-1]} {base64.b64encode(PASSWORD.encode())!r}"
        return SandboxResponse(400 if call.number % 2 else 500, json.dumps({"Message": echo}).encode())

    sandbox.service.plan = plan
    sheet = write_sheet(tmp_path / "customers.csv", 12)
    said = {}
    for number, command in enumerate(
        [
            ("doctor",), ("check", sheet, "-o", "check.xlsx"), ("run", sheet, "--yes", "--limit", 6, "--verify"),
            ("resume", "-o", "results.xlsx"), ("retry", "--yes", "-o", "retry.csv"), ("runs",), ("show",),
        ]
    ):  # fmt: skip
        for json_too in (True, False):
            answer = run_program(*command, json=json_too)
            said[f"{number} out {json_too}"] = answer.out.encode()
            said[f"{number} err {json_too}"] = answer.err.encode()
    assert find_puts(sandbox)
    assert len(set(tokens)) >= 3
    files = read_everything(tmp_path)
    assert any(name.endswith("journal.sqlite3") for name in files)
    assert any("sheet1.xml" in name for name in files)
    assert_nowhere([PASSWORD, *tokens], {**said, **files})


def test_a_refused_login_does_not_show_the_password(told, run_program, tmp_path):
    wrong = PASSWORD + "2"
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 2), "--yes", password=wrong)
    assert answer.exit_code == 4
    assert_nowhere([wrong], {"out": answer.out.encode(), "err": answer.err.encode(), **read_everything(tmp_path)})


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="where the system shows arguments of processes")
def test_the_list_of_processes_does_not_show_it_and_no_option_takes_it(told, run_program, tmp_path):
    sandbox, _ = told
    process = run_program.start("run", write_sheet(tmp_path / "customers.csv", 60), "--yes", concurrency=1)
    wait_until(lambda: find_puts(sandbox))
    arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert b"bulkupdate" in arguments
    assert_nowhere([PASSWORD], {"arguments": arguments})
    assert finish(process).exit_code == 0
    refused = run_program("run", "customers.csv", "--yes", "--password", PASSWORD, json=False)
    assert refused.exit_code == 2
    assert_nowhere([PASSWORD], {"err": refused.err.encode()})


LOGGED = """
import logging, sys
from http.client import HTTPConnection
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from bulkupdate.__main__ import main
main()
"""


def test_with_all_logging_at_debug_no_secret_is_logged(told, run_program, tmp_path):
    sandbox, tokens = told
    sheet = write_sheet(tmp_path / "customers.csv", 5)
    answer = finish(run_program.start_code(LOGGED, "run", sheet, "--yes"))
    assert (answer.exit_code, len(find_puts(sandbox))) == (0, 5), answer.err
    assert "DEBUG" in answer.err, "the logging must be on"
    assert_nowhere([PASSWORD, *tokens], {"err": answer.err.encode(), "out": answer.out.encode()})


def test_credentials_of_a_proxy_or_an_address_are_not_shown(run_program, tmp_path):
    """Someone may write them into either."""
    secret = "pr0xy-p4ssw0rd"
    sheet = write_sheet(tmp_path / "customers.csv", 2)
    run_program.environment |= {"HTTPS_PROXY": f"http://me:{secret}@127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    answers = [
        run_program("run", sheet, "--yes", base_url="https://xx.api.sellercloud.com/rest/api", max_attempts=1),
        run_program("run", sheet, "--yes", base_url=f"https://me:{secret}@xx.api.sellercloud.com/rest/api"),
        run_program("doctor", base_url=f"http://me:{secret}@127.0.0.1:9/rest/api", max_attempts=1),
    ]
    assert all(answer.exit_code in (2, 4) for answer in answers)
    said = {str(at): (answer.out + answer.err).encode() for at, answer in enumerate(answers)}
    assert_nowhere([secret], {**said, **read_everything(tmp_path)})


def test_plain_http_is_refused_but_for_loopback(run_program, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 2)
    answer = run_program("run", sheet, "--yes", base_url="http://xx.api.sellercloud.com/rest/api")
    assert answer.exit_code == 2
    assert "https" in answer.err
