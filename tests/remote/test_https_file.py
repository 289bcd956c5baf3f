"""Sheets of the web: whole or not at all, and no credential goes where it does not belong."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.errors import BulkUpdateError, InputFileError, UsageError
from bulkupdate.remote import https_file
from bulkupdate.remote.address import parse_address
from bulkupdate.remote.public_hosts import is_public
from bulkupdate.runs.kept_files import fetch_input
from bulkupdate.settings import Settings
from tests.remote.servers import write_certificate
from tests.remote.web_server import WebServer, answer, serve_web

CSV = b"CustomerId,Name\n163,Ann\n"


def fetch(url: str, folder: Path, allowed: Collection[str] | None = None, **settings: Any) -> Path:
    options = Settings(**{"state_dir": folder, "timeout": 2.0, **settings})
    return fetch_input(parse_address(url), None, options, 0.0, allowed)


def drip(handler: Any) -> None:
    """Send the beginning of the file a byte at a time, unless the client goes."""
    answer(b"", length=900)(handler)
    with suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.05)


def test_the_name_or_the_server_says_what_the_file_is(web: WebServer, tmp_path: Path) -> None:
    web.answers = {
        "/a b.csv": answer(CSV, Content_Type="application/octet-stream"),
        "/pub": answer(CSV, Content_Type="text/csv; charset=utf-8"),
        "/what": answer(CSV, Content_Type="text/plain"),
        "/packed.csv": answer(gzip.compress(CSV), Content_Encoding="gzip"),
    }
    for path, name in (("/a%20b.csv", "a-b-"), ("/pub?output=csv", "pub-"), ("/packed.csv", "packed-")):
        web.answers["/a%20b.csv"] = web.answers["/a b.csv"]
        kept = fetch(web.url(path), tmp_path)
        assert (kept.read_bytes(), kept.suffix, kept.name.startswith(name)) == (CSV, ".csv", True)
    with pytest.raises(InputFileError, match="neither its name nor its server says") as caught:
        fetch(web.url("/what?token=s3cret"), tmp_path)
    assert "s3cret" not in str(caught.value)


def test_a_redirect_takes_no_login_to_another_host(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pa55word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serve_web() as other:
        web.answers["/a.csv"] = answer(status=302, Location=other.url("/b.csv", host="localhost"))
        other.answers["/b.csv"] = answer(CSV)
        assert fetch(web.url("/a.csv"), tmp_path).read_bytes() == CSV
        assert web.seen[0][1].startswith("Basic ")
        assert other.seen == [("/b.csv", None)]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (answer(status=404), "its server answered 404"),
        (answer(status=403), "its server refuses it"),
        (answer(CSV, length=10), "the connection ended before the file did"),
        (answer(CSV, length=None), "does not say how long it is"),
        (answer(status=302, Location="/a.csv"), "it redirects too often"),
        (answer(status=302, Location="http://example.com/b.csv"), "it redirects to an address that is not allowed"),
        (answer(status=302, Location="file:///etc/passwd"), "it redirects to an address that is not allowed"),
        (answer(status=302, Location="sftp://127.0.0.1/x.csv"), "it redirects to an address that is not https"),
        (answer(status=302, Location="http://me:pw@127.0.0.1/"), "it redirects to an address that is not allowed"),
        (answer(b"x" * 2_000), "The data has more than 1,000 bytes"),
        (answer(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"), "The data has more than 1,000 bytes"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "its server cannot be reached"),
        (lambda handler: handler.rfile.read(1), "its server did not answer in time"),
        (drip, "its server sends too slowly"),
    ],
)  # fmt: skip
def test_what_is_not_the_whole_file_is_refused_and_leaves_nothing(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Any, message: str
) -> None:
    monkeypatch.setattr(https_file, "_TIMEOUTS_IN_ALL", 1)
    web.answers["/a.csv"] = reply
    with pytest.raises(InputFileError, match=message) as caught:
        fetch(web.url("/a.csv?sig=s3cret"), tmp_path, max_unpacked_bytes=1_000, timeout=2.0)
    assert "s3cret" not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"
    assert list((tmp_path / "inputs").glob("*")) == []


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/a.csv", "https://me:pa55word@example.com/a.csv", "https://me@example.com/a.csv",
        "sftp://me:pa55word@example.com/a.csv", "s3://AKIA:pa55word@bucket/a.csv", "ftp://example.com/a.csv",
        "https:///a.csv", "https://example.com:x/a.csv", "https://[::1/a.csv", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "pa55word" not in f"{caught.value} {caught.value.remedy}"


def test_an_address_shows_without_its_query_and_a_key_is_taken_literally() -> None:
    address = parse_address("https://example.com:8443/a%20b.csv?sig=s3cret#x")
    assert (str(address), "s3cret" in repr(address)) == ("https://example.com:8443/a%20b.csv", False)
    assert parse_address("s3://bucket/in box/a #1?%20é.csv").path == "in box/a #1?%20é.csv"
    assert parse_address("sftp://me@host:22/~/a #1?.csv").path == "/~/a #1?.csv"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.com/in/K%C3%A4ufer%20%231.csv?x=1", "Käufer #1.csv"),
        ("https://example.com/a%2Fb.csv", "b.csv"),
        ("https://example.com/100%.csv", "100%.csv"),
        ("s3://bucket/in/a%20b.csv", "a%20b.csv"),
        ("sftp://host/a%20b.csv", "a%20b.csv"),
    ],
)
def test_a_file_of_the_web_is_named_as_its_address_reads(address: str, name: str) -> None:
    assert str(parse_address(address).name) == name


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False), ("::ffff:169.254.169.254", False), ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False), ("2001:0:7f00:1::", False), ("ff02::1", False), ("64:ff9b::5db8:d822", True),
        ("::ffff:93.184.216.34", True), ("64:ff9b:1::7f00:1", False), ("::127.0.0.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_the_page_reaches_no_host_of_the_own_network_that_is_not_allowed(web: WebServer, tmp_path: Path) -> None:
    web.answers["/a.csv"] = answer(CSV)
    web.answers["/away"] = answer(status=307, Location=web.url("/a.csv", host="127.0.0.2"))
    assert fetch(web.url("/a.csv"), tmp_path, ["127.0.0.1"]).read_bytes() == CSV
    seen = len(web.seen)
    for host in ("127.0.0.1", "localhost", "[::1]"):
        with pytest.raises(BulkUpdateError, match="its host is not on the public internet"):
            fetch(web.url("/a.csv", host=host), tmp_path, [])
    assert len(web.seen) == seen
    with pytest.raises(InputFileError, match="its host is not on the public internet"):
        fetch(web.url("/away"), tmp_path, ["127.0.0.1"])
    for text in ("sftp://127.0.0.1/a.csv", "s3://bucket/a.csv"):
        with pytest.raises(InputFileError, match="cannot be read here"):
            fetch(text, tmp_path, [])


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "[::ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "LOCALHOST."],
)
def test_this_machine_is_recognised_however_it_is_written(web: WebServer, tmp_path: Path, host: str) -> None:
    with pytest.raises(InputFileError, match="its host is not on the public internet"):
        fetch(f"https://{host}:{web.port}/a.csv", tmp_path, [])
    assert web.seen == []


def test_a_name_is_resolved_once_and_one_address_of_the_own_network_refuses_it(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        addresses = ("93.184.216.34", "127.0.0.1") if host == "both.example" else ("127.0.0.1",)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr("bulkupdate.remote.public_hosts.socket.getaddrinfo", resolve)
    for host in ("both.example", "rebound.example"):
        with pytest.raises(InputFileError, match="its host is not on the public internet"):
            fetch(f"https://{host}:{web.port}/a.csv", tmp_path, [])
    assert (asked, web.seen) == (["both.example", "rebound.example"], [])


def test_over_tls_the_certificate_counts_and_no_redirect_leaves_it(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "localhost.pem", "localhost")
    with serve_web(certificate) as secure:
        secure.answers = {"/a.csv": answer(CSV), "/plain.csv": answer(status=302, Location=web.url("/a.csv"))}
        for allowed in (None, ["localhost"]):
            with pytest.raises(InputFileError, match="the certificate of its server is not accepted"):
                fetch(secure.url("/a.csv", host="localhost"), tmp_path, allowed)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert fetch(secure.url("/a.csv", host="localhost"), tmp_path).read_bytes() == CSV
        with pytest.raises(InputFileError, match="the certificate of its server is not accepted"):
            fetch(secure.url("/a.csv"), tmp_path)
        with pytest.raises(InputFileError, match="redirects to an address that is not https"):
            fetch(secure.url("/plain.csv", host="localhost"), tmp_path)
    assert web.seen == []
