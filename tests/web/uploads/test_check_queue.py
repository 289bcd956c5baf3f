"""Checks at once, and files that try to block them."""

from __future__ import annotations

import io
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openpyxl import Workbook

from bulkupdate.clock import Clock
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.check_queue import CheckQueue
from bulkupdate.web.uploads.check_worker import CheckTask
from bulkupdate.web.uploads.upload_store import Uploads
from tests.web.served import Server, Visitor, make_csv


def make_bomb(kind: str) -> bytes:
    """A workbook that means harm: of blocks of zeros, or of entities that double and double."""
    content = io.BytesIO()
    book = Workbook()
    book.active.append(["CustomerId", "Name"])  # type: ignore[union-attr]
    book.save(content)
    bomb = io.BytesIO()
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != "xl/worksheets/sheet1.xml":
                target.writestr(name, source.read(name))
        with target.open("xl/worksheets/sheet1.xml", "w") as sheet:
            if kind == "xml":
                entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
                sheet.write(f'<!DOCTYPE worksheet [<!ENTITY e0 "ha">{entities}]><worksheet>&e11;</worksheet>'.encode())
            else:
                sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
                for _ in range(200):
                    sheet.write(b" " * (1 << 20))
    return bomb.getvalue()


def test_bombs_are_refused_and_keep_no_user_waiting(server: Server) -> None:
    """Ten at once by one user; meanwhile a small sheet of another is checked as usual."""
    bombs = [make_bomb("zip"), make_bomb("xml")]
    fritz, gerd = Visitor(server.url, "fritz"), Visitor(server.url, "gerd")
    token = fritz.token()
    with ThreadPoolExecutor(10) as pool:
        started = time.monotonic()
        thrown = [pool.submit(fritz.upload, "bomb.xlsx", bombs[n % 2], csrf_token=token) for n in range(10)]
        time.sleep(0.2)
        assert gerd.upload("small.csv", make_csv(3)).status_code == 200
        small = time.monotonic() - started
        answers = [each.result() for each in thrown]
    assert small < 10
    refusals = [answer.status_code for answer in answers if "bomb.xlsx was rejected" not in answer.text]
    assert len(refusals) <= 6  # four of one user arrive at once, the others are told to wait
    assert set(refusals) <= {429}


@pytest.mark.long
def test_a_check_that_takes_too_much_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its limit of memory; the page says so in a sentence."""
    monkeypatch.setattr("bulkupdate.web.uploads.check_queue.work_within_limits", die)
    uploads = Uploads(tmp_path, Clock())
    upload = uploads.add(io.BytesIO(make_csv(1)), "anna", "host", "a.csv", ".csv", SheetOptions())
    checks = CheckQueue()
    checks.start()
    try:
        assert checks.submit("anna", CheckTask(upload, Settings())).wait(20)
    finally:
        checks.close()
    outcome = read_outcome(upload)
    assert outcome is not None
    assert "more memory or time" in outcome.message


def die(_task: object) -> None:
    """A check that is killed."""
    os.kill(os.getpid(), 9)


@pytest.mark.long
def test_two_heavy_uploads_and_a_small_one_are_checked_side_by_side(server: Server) -> None:
    """Blank lines count as rows: a file full of them is refused after a moment; and a small file has its own worker."""
    blank = b"CustomerId,Name\n1,a\n" + b"\n" * (45 << 20)
    heavy = [Visitor(server.url, name) for name in ("dora", "eva")]
    gerd = Visitor(server.url, "gerd")
    with ThreadPoolExecutor(2) as pool:
        uploads = [pool.submit(visitor.upload, "blank.csv", blank) for visitor in heavy]
        time.sleep(1)
        assert "Update 3 customers" in gerd.upload("small.csv", make_csv(3)).text
        for upload in uploads:
            assert "has more than 1,048,576 rows, blank ones included" in upload.result().text
