"""Downloads that are used again."""

from __future__ import annotations

import csv
import io
import os
import tracemalloc
from pathlib import Path
from zipfile import ZipFile

import pytest
from flask import Flask
from openpyxl import load_workbook

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.downloads import send_archive
from tests.web.served import Server, Visitor, make_csv, path_of


def test_an_undo_sheet_restores_the_previous_values(server: Server, sandbox: Sandbox) -> None:
    """Kept on request, downloaded, uploaded like any other sheet."""
    anna = Visitor(server.url, "anna")
    before = [dict(sandbox.customer(140_001 + place) or {}) for place in range(3)]
    run = anna.start(anna.upload("undo me.csv", make_csv(3, first_id=140_001)), snapshot="1")
    anna.wait_for_end(run)
    assert (sandbox.customer(140_001) or {})["Name"] == "New 0"
    sheet = anna.get(path_of(run) + "/undo.xlsx")
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="undo me-undo.xlsx"'
    anna.wait_for_end(anna.start(anna.upload("undo.xlsx", sheet.content)))
    assert [dict(sandbox.customer(140_001 + place) or {}) for place in range(3)] == before


def test_the_template_is_offered_as_workbook_and_csv(server: Server) -> None:
    """As a workbook, and as CSV."""
    anna = Visitor(server.url, "anna")
    book = load_workbook(io.BytesIO(anna.get("/template.xlsx").content))
    assert "Customers" in book.sheetnames
    assert anna.get("/template.csv").content.startswith(b"\xef\xbb\xbfCustomerId,")
    assert anna.get("/template.exe").status_code == 404


def test_all_downloads_come_in_one_archive(anna: Visitor, sandbox: Sandbox) -> None:
    """With results as CSV, too, in which no cell is a formula; the report as a page is one of them once it is made."""
    content = b'CustomerId,Name,Comments\n141001,"=1+1","-2+3"\n141002,B,@x\n141003,no,\n'
    checked = anna.upload("all of it.csv", content)
    page = anna.get(path_of(checked) + "/report.html")
    assert page.headers["Content-Disposition"] == 'attachment; filename="all of it-check.html"'
    assert "<script" not in page.text
    run = path_of(anna.wait_for_end(anna.start(checked, snapshot="1")))
    text = anna.get(run + "/results.csv").content.decode("utf-8-sig")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in csv.reader(io.StringIO(text)) for cell in row)
    answer = anna.get(run + "/all.zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="all of it-all.zip"'
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "all of it-check.html", "all of it-check.xlsx", "all of it-results.csv", "all of it-results.xlsx",
            "all of it-sheet.csv", "all of it-undo.xlsx",
        ]  # fmt: skip
        assert archive.read("all of it-sheet.csv") == content
        assert archive.read("all of it-results.csv").decode("utf-8-sig") == text


@pytest.mark.long
def test_an_archive_takes_no_memory_of_its_size(tmp_path: Path) -> None:
    """64 MiB that cannot be compressed: no part of it that waits is larger than a few blocks."""
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(1 << 20) * 64)
    with Flask(__name__).test_request_context():
        response = send_archive([(path, "large.bin")], "all.zip")
        path.unlink()  # purged meanwhile
        tracemalloc.start()
        sizes = [len(part) for part in response.response]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        response.close()
    assert sum(sizes) > 60 << 20
    assert peak < 4 << 20
