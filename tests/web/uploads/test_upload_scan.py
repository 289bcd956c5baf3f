"""A virus scanner looks at each upload before it is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.uploads import upload_scan
from bulkupdate.web.uploads.upload_scan import INFECTED, NOT_SCANNED, scan
from tests.web.served import Server, Visitor, make_csv

SCANNER = "import sys; sys.exit(b'EICAR' in open(sys.argv[1], 'rb').read())"


def test_an_infected_file_is_refused_and_a_clean_one_checked(sandbox: Sandbox, tmp_path: Path) -> None:
    with Server(sandbox.base_url, tmp_path / "s", scan_command=f'{sys.executable} -c "{SCANNER}"') as server:
        anna = Visitor(server.url, "anna")
        assert "virus scanner of the server does not accept" in anna.upload("bad.csv", b"CustomerId\nEICAR\n").text
        assert "Update 3 customers" in anna.upload("good.csv", make_csv(3)).text


@pytest.mark.parametrize(
    ("command", "result"),
    [("", None), ("true", None), ("false", INFECTED), ("sh -c 'exit 2'", NOT_SCANNED), ("not-installed", NOT_SCANNED),
     ("sh -c 'unclosed", NOT_SCANNED)],
)  # fmt: skip
def test_what_a_scanner_says(command: str, result: object, tmp_path: Path) -> None:
    assert scan(command, tmp_path) is result


def test_a_scanner_that_never_ends_has_not_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_scan, "MAX_SECONDS", 0.05)
    assert scan("sh -c 'exec sleep 600'", tmp_path) is NOT_SCANNED
