"""Downloads that are used again."""

from __future__ import annotations

import io

from openpyxl import load_workbook

from bulkupdate.sandbox.server import Sandbox
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
