from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.spreadsheets.writing import xlsx_writer
from bulkupdate.spreadsheets.writing.results_workbook import write_results
from bulkupdate.spreadsheets.writing.to_fix_sheet import write_to_fix
from tests.spreadsheets.writing.samples import count, make_line

HEADINGS = ("Customer ID", "Full Name")


def test_a_sheet_too_large_for_excel_is_refused_and_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_writer, "EXCEL_ROWS", 5)
    with pytest.raises(UsageError, match="larger than Excel allows") as caught:
        write_to_fix(tmp_path / "out.xlsx", HEADINGS, [make_line(row) for row in range(2, 9)])
    assert ".csv" in str(caught.value.remedy)
    monkeypatch.setattr(xlsx_writer, "EXCEL_COLUMNS", 5)
    with pytest.raises(UsageError, match="larger than Excel allows"):
        write_results(tmp_path / "out.xlsx", HEADINGS, [make_line()], [], count([make_line()]))
    assert list(tmp_path.iterdir()) == []


def test_a_part_past_the_zip_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit of some bytes instead of 2 GiB, for rows whose number is not known beforehand."""
    monkeypatch.setattr(xlsx_writer, "_SMALL_PART_BYTES", 3_000)
    with pytest.raises(UsageError, match="larger than Excel allows"):
        write_to_fix(tmp_path / "out.xlsx", HEADINGS, [make_line(row) for row in range(2, 2000)])
    assert list(tmp_path.iterdir()) == []
