"""The page of a checked sheet over HTTP."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook

from tests.web.served import Server, Visitor


def test_a_large_sheet_with_many_problems_is_shown_page_by_page(server: Server, tmp_path: Path) -> None:
    """5,000 problems in a page of under 300 kB."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Customers")
    sheet.append(["CustomerId", "Name", "Email", "BusinessName", "Phone1", "Rating", "IsWholesale", "Comments"])
    for place in range(5000):
        firm = f"Firm {place}"
        sheet.append([100_001 + place, f"N {place}", "no address", firm, f"0049 {place}", "Neutral", "Yes", "Hello"])
    path = tmp_path / "large.xlsx"
    book.save(path)
    hanna = Visitor(server.url, "hanna")
    page = hanna.upload("large.xlsx", path.read_bytes()).content
    assert b"5,000 problems, page 1 of 50" in page
    assert len(page) < 300_000
