"""Uploading a sheet, and choosing how it is read."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.remote.web_server import answer, serve_web
from tests.web.served import Server, Visitor, path_of


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
    assert "by another column" not in page


def test_an_unknown_encoding_is_chosen_by_its_samples(server: Server, sandbox: Sandbox) -> None:
    anna = Visitor(server.url, "anna")
    refused = anna.upload("polish.csv", "CustomerId,Name\n100101,Łódź Żółw\n".encode("cp1250"))
    assert "The encoding of polish.csv is not known" in refused.text
    assert '“Łódź Żółw” <span class="dim">cp1250</span>' in refused.text
    checked = anna.post(path_of(refused) + "/read-as", encoding="cp1250")
    assert "Update 1 customer" in checked.text
    anna.wait_for_end(anna.start(checked))
    assert (sandbox.customer(100_101) or {})["Name"] == "Łódź Żółw"


def test_a_guessed_encoding_is_shown_with_its_samples_and_can_be_changed(server: Server) -> None:
    anna = Visitor(server.url, "anna")
    checked = anna.upload("western.csv", "CustomerId,Name\n100102,Jürgen Groß\n".encode("cp1252"))
    assert "it was read as Windows-1252, for example “Jürgen Groß”" in checked.text
    assert "Which of these looks right?" in checked.text
    assert "Update 1 customer" in checked.text


def test_rounded_numbers_are_decided_once_for_the_sheet(server: Server, sandbox: Sandbox) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["CustomerId", "AccountManager1Commission"])
    for row, number in enumerate((1.255, 2.345, 3.5), 2):
        sheet.append([100_110 + row, number])
        sheet.cell(row, 2).number_format = "0.00"
    stream = io.BytesIO()
    book.save(stream)
    anna = Visitor(server.url, "anna")
    checked = anna.upload("commissions.xlsx", stream.getvalue())
    assert "2 rows are invalid" in checked.text
    decided = anna.post(path_of(checked) + "/read-as", numbers="displayed")
    anna.wait_for_end(anna.start(decided))
    assert [str((sandbox.customer(100_110 + row) or {})["AccountManager1Commission"]) for row in (2, 3, 4)] == [
        "1.26", "2.35", "3.50",
    ]  # fmt: skip


def test_only_the_owner_changes_how_a_sheet_is_read(server: Server) -> None:
    anna, bert = Visitor(server.url, "anna"), Visitor(server.url, "bert")
    checked = anna.upload("mine.csv", b"CustomerId,Name\n100103,Ann\n")
    assert bert.post(path_of(checked) + "/read-as", encoding="cp1250").status_code == 404


def test_a_sheet_of_the_web_is_checked_and_sent_unless_its_host_is_of_the_own_network(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    allowed = {"fetch_hosts": "127.0.0.1", "upload_bytes": "10000"}
    with serve_web() as web, Server(sandbox.base_url, tmp_path / "state", **allowed) as server:
        anna = Visitor(server.url, "anna")
        web.answers = {
            "/pub": answer(b"CustomerId,Name\n100103,From the web\n", Content_Type="text/csv"),
            "/large.csv": answer(b"x" * 20_000),
            "/away.csv": answer(status=302, Location=web.url("/pub", host="127.0.0.2")),
        }
        for url, message in (
            (web.url("/pub?token=s3cret", host="localhost"), "its host is not on the public internet"),
            (web.url("/away.csv"), "its host is not on the public internet"),
            (web.url("/large.csv"), "The data has more than 10,000 bytes"),
            ("https://me:pa55word@127.0.0.1/a.csv", "holds a login or a password"),
            ("sftp://127.0.0.1/a.csv", "cannot be read here"),
            ("/etc/passwd", "is not an address"),
            ("", "Choose a file first."),
        ):
            refused = anna.post("/sheets", address=url)
            assert (refused.status_code, message in refused.text) == (400, True), refused.text
        checked = anna.post("/sheets", address=web.url("/pub?token=s3cret"))
        assert "Update 1 customer" in checked.text
        anna.wait_for_end(anna.start(checked))
        assert (sandbox.customer(100_103) or {})["Name"] == "From the web"
        assert "s3cret" not in server.log
    assert list((tmp_path / "state" / "inputs").glob("*")) == []
