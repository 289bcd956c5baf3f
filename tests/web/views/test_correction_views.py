"""Corrections in place over HTTP."""

from __future__ import annotations

import html
import io
import json
import re
from hashlib import sha256
from pathlib import Path

import requests
from openpyxl import load_workbook

from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.postgres import database_variable
from tests.warm import share_warm_program
from tests.web.conftest import LOGINS
from tests.web.served import CLEAN, Server, Visitor, path_of

HEADINGS = "CustomerId;Email;AccountManager1Commission;IsWholesale;Comments\n"


def make_sheet(first: int, *lines: str) -> bytes:
    rows = (f"{first + at};{line}\n" for at, line in enumerate(lines))
    return (HEADINGS + "".join(rows)).encode()


def read_revision(page: requests.Response) -> str:
    found = re.search(r'name="revision" value="(\d+)"', page.text)
    assert found is not None, page.text
    return found[1]


def correct(visitor: Visitor, page: requests.Response, **fields: object) -> requests.Response:
    """Send the form of a page."""
    return visitor.post(path_of(page) + "/corrections", revision=read_revision(page), **fields)  # type: ignore[arg-type]


def test_cells_are_corrected_one_by_one_and_all_alike_and_the_file_is_left_as_it_is(
    server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A group by one button, equal texts by one replacement, a single cell; sent, listed, and given back corrected."""
    anna = Visitor(server.url, "anna")
    content = make_sheet(
        140_001, "a@example.com;2,50;ja;x", "b@example;3,50;aktiv;y", ";4,50;aktiv;z", "d@example.com;5;nein;w"
    )
    page = anna.upload("Kunden Mai.csv", content)
    assert "3 rows are invalid" in page.text
    assert 'aria-label="Email in row 3"' in page.text
    group = {"column": "AccountManager1Commission", "code": "decimal-mark"}
    offer = anna.get(path_of(page), params=group).text
    assert ">Replace the decimal comma in 3 cells</button>" in offer
    assert "2,50 → 2.50" in offer
    page = correct(anna, page, repair="point", **group)
    assert "3 cells were corrected here." in page.text
    page = correct(anna, page, column="IsWholesale", code="yes-or-no", equal=["aktiv"], replacement=["Yes"])
    assert "1 row is invalid" in page.text
    page = correct(anna, page, cell=["3:1"], after=["b@example.com"])
    assert "6 cells were corrected here." in page.text
    assert "invalid</dt>" not in page.text
    listed = anna.get(path_of(page) + "/corrections").text
    assert '<del class="before">b@example</del>' in listed
    (stored,) = server.state_dir.glob(f"uploads/{path_of(page).rpartition('/')[2]}/2*.csv")
    assert stored.read_bytes() == content
    run = anna.wait_for_end(anna.start(page))
    assert (sandbox.customer(140_002) or {})["Email"] == "b@example.com"
    assert (sandbox.customer(140_001) or {})["AccountManager1Commission"] == 2.5
    book = load_workbook(io.BytesIO(anna.get(path_of(run) + "/results.xlsx").content))
    lines = list(book["Corrections"].iter_rows(values_only=True))
    assert lines[0] == ("Row", "Column", "Before", "After")
    assert (3, "Email", "b@example", "b@example.com") in lines
    assert len(lines) == 7
    assert "6 cells were corrected" in run.text
    assert '<del class="before">b@example</del>' in anna.get(path_of(run) + "/corrections").text
    show = ("show", path_of(run).rpartition("/")[2], "--json", "--state-dir", str(server.state_dir))
    assert share_warm_program().call(tmp_path, CLEAN | database_variable(server.state_dir), *show) == 0
    told = json.loads((tmp_path / "out").read_text())
    assert {"row": 3, "column": "Email", "before": "b@example", "after": "b@example.com"} in told["corrections"]
    assert (
        sha256(content).hexdigest()
        in (server.state_dir / "uploads" / run.url.rpartition("/")[2] / "corrections.json").read_text()
    )
    late = anna.post(path_of(page) + "/corrections", revision="5", cell=["3:1"], after=["x"])
    assert late.status_code == 409
    assert "has been sent" in late.text


def test_a_retry_sends_the_corrected_text_and_lists_its_correction(tmp_path: Path) -> None:
    plan = ScheduledFaults(customers={100_001: ["conflict-409"]})
    with Sandbox(SandboxOptions(**LOGINS), plan=plan) as sandbox, Server(sandbox.base_url, tmp_path / "s") as server:
        anna = Visitor(server.url, "anna")
        page = anna.upload("a.csv", make_sheet(100_001, "bad;;;x", "worse;;;y"))
        page = correct(anna, page, cell=["2:1", "3:1"], after=["a@example.com", "b@example.com"])
        run = anna.wait_for_end(anna.start(page))
        child = anna.wait_for_end(anna.post(path_of(run) + "/retry"))
        assert (sandbox.customer(100_001) or {})["Email"] == "a@example.com"
        book = load_workbook(io.BytesIO(anna.get(path_of(child) + "/results.xlsx").content))
        assert [row[0] for row in book["Corrections"].iter_rows(min_row=2, values_only=True)] == [2]


def test_what_was_changed_in_another_tab_or_is_no_cell_is_refused(server: Server) -> None:
    """A form that gives every cell back as it was corrects nothing, whatever the cells hold."""
    anna = Visitor(server.url, "anna")
    hostile = "<script>alert(1)</script>\"' {{7*7}}"
    page = anna.upload(
        "tabs.csv", make_sheet(141_001, f'"{hostile.replace(chr(34), chr(34) * 2)}";;maybe;x', f'{"z" * 300};;"a\nb";y')
    )
    assert "<script>alert" not in page.text
    cells = re.findall(r'name="cell" value="(\d+:\d+)"><input name="after" value="([^"]*)"', page.text)
    names, texts = [name for name, _ in cells], [html.unescape(text) for _, text in cells]
    assert (names, texts) == (["2:1", "2:3", "3:1", "3:3"], [hostile, "maybe", "", ""])
    same = correct(anna, page, cell=names, after=texts)
    assert (read_revision(same), "corrected here" in same.text) == ("0", False)
    wrong = [["2:9"], ["99:1"], ["2:1:1"], ["-1:1"]]
    assert {correct(anna, page, cell=cell, after=["x"]).status_code for cell in wrong} == {400}
    assert correct(anna, page, repair="blank", column="CustomerId", code="customer-id").status_code == 400
    collided = correct(anna, page, cell=["2:0"], after=["141002"])
    assert "customer 141002 is also in row 3" in collided.text
    late = correct(anna, page, cell=["2:1"], after=["a@example.com"])
    assert (late.status_code, "perhaps in another tab" in late.text) == (409, True)
    undone = anna.post(path_of(page) + "/corrections/undo", row="2", column="CustomerId")
    assert ("corrected here" in undone.text, "is also in row" in undone.text) == (False, False)
    assert "141002" not in server.log
    assert Visitor(server.url, "bert").post(path_of(page) + "/corrections", revision="2").status_code == 404
