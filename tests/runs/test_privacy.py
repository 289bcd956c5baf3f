"""Of a GET only the fields of the table are kept: cards and other groups reach neither disk nor output."""

from __future__ import annotations

import base64
import time
import zipfile

import pytest

from bulkupdate.sandbox.payloads import TEST_CARD_NUMBER, TEST_CVV
from tests.conftest import FIRST, write_csv
from tests.postgres import only_files

FOREIGN = (
    TEST_CARD_NUMBER, TEST_CVV, "12/2031", "1 Example Street", "Springfield", "LOYALTY", "Everyone", "CreditCards",
    "CustomColumns", "OrderOptions", "NotesCount", "WholesaleOptions",
)  # fmt: skip
"""What the sandbox answers beside the fields of the table."""


@only_files
def test_cards_and_other_groups_reach_neither_disk_nor_output(run_program, sandbox, tmp_path):
    """After everything that reads customers one by one; the journal with its log is looked at before it is closed."""
    sheet = write_csv(
        tmp_path / "in.csv", [["CustomerId", "Title", "Fax"], *([FIRST + at, f"T{at}", "1"] for at in range(20))]
    )
    calls = [
        ("check", sheet, "--live", "-o", "report.xlsx", "--html", "page.html"),
        ("run", sheet, "--snapshot", "--verify", "--yes", "-o", "out.csv"),
        ("run", sheet, "--only-changes", "--snapshot", "--yes", "-o", "out2.csv"),
        ("export", "--ids", sheet, "-o", "export.csv"),
    ]
    told = []
    for call in calls:
        done = run_program(*call)
        assert done.exit_code == 0, done.err
        told.append(done.out + done.err)
        if call[0] == "run":
            undo = run_program("undo", done.told["run"], "-o", "undo.csv")
            told.append(undo.out + undo.err)
            run_program("undo", done.told["run"], "--run", "--yes", "-o", "undo.csv")
    assert sum(each.kind == "read" for each in sandbox.requests) >= 100
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.startswith("journal.sqlite3") for path in files)
    for word in FOREIGN:
        shapes = {word.encode(), base64.b64encode(word.encode()), word.encode("utf-16-le")}
        assert not [text for text in told if word in text], word
        assert not [path.name for path in files for shape in shapes if shape in _read(path)], word


def _read(path):
    """A file's bytes, those of a workbook unpacked."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return b"".join(book.read(name) for name in book.namelist())


@pytest.mark.long
@only_files
def test_a_process_killed_in_the_middle_leaves_none_of_it_behind(run_program, make_sandbox, tmp_path):
    """The journal's log as it lies on the disk, while the run is under way."""
    sandbox = make_sandbox(latency_seconds=0.05)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Fax"], *([FIRST + at, "1"] for at in range(60))])
    process = run_program.fork("run", sheet, "--snapshot", "--yes", concurrency=4)
    try:
        while not any(each.kind == "write" for each in sandbox.requests) and process.poll() is None:
            time.sleep(0.01)
        files = {path.name: path.read_bytes() for path in run_program.state.rglob("*") if path.is_file()}
    finally:
        process.kill()
        process.wait()
    files |= {path.name: path.read_bytes() for path in run_program.state.rglob("*") if path.is_file()}
    assert "journal.sqlite3-wal" in files
    assert not [name for name, content in files.items() for word in FOREIGN if word.encode() in content]
