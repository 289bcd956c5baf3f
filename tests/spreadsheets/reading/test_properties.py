"""What holds for any file and any cells."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.errors import BulkUpdateError
from bulkupdate.spreadsheets.reading.number_display import show_number
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    as_csv_rows,
    read,
    text_cell,
    texts,
    write_raw_xlsx,
    write_text,
)

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROW = f'<row r="2"><c r="A2"><v>163</v></c>{text_cell("B2", "Ann")}</row>'
SHOWN = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Co")), max_size=12)
VALUES = st.one_of(
    SHOWN, st.integers(-(10**14), 10**14).map(str), st.sampled_from(["", "007", "TRUE", "a\nb", " ", "#N/A", "1e5"])
)


def ends_well(path: Path) -> None:
    """A sheet or one of our errors; any other exception is a failure of the test."""
    with suppress(BulkUpdateError):
        sheet = read(path)
        assert len(sheet.frame) == len(sheet.row_numbers)


@FEW
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"CustomerId,Name\n1,", b"PK\x03\x04", b"\xff\xfe", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
    st.sampled_from(["csv", "tsv", "xlsx", "xls", "xlsb", "ods"]),
)
def test_any_bytes_end_in_a_sheet_or_an_error_of_ours(content: bytes, start: bytes, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ends_well(write_text(Path(folder), start + content, name=f"a.{ending}"))


@FEW
@given(st.data())
def test_a_workbook_with_some_bytes_changed_ends_well(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_raw_xlsx(Path(folder) / "a.xlsx", HEADING_ROW + ROW)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        ends_well(path)


@FEW
@given(st.lists(st.tuples(st.integers(1, 10**9).map(str), VALUES, VALUES), min_size=1, max_size=8))
def test_csv_and_excel_give_the_same_texts(rows: list[tuple[str, str, str]]) -> None:
    """A leading apostrophe of a CSV file is left out: there it shields a formula."""
    rows = [tuple(cell.lstrip("'") for cell in row) for row in rows]  # type: ignore[misc]
    table = [("CustomerId", "Name", "Comments"), *rows]
    with tempfile.TemporaryDirectory() as folder:
        text = read(write_text(Path(folder), as_csv_rows(table)))
        with xlsxwriter.Workbook(Path(folder) / "a.xlsx", {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate(table):
                for column, cell in enumerate(row):
                    sheet.write_string(number, column, cell)
        excel = read(Path(folder) / "a.xlsx")
    assert texts(text) == texts(excel) == [list(row) for row in rows]
    assert text.row_numbers.tolist() == excel.row_numbers.tolist()


@FEW
@given(
    st.floats(allow_nan=False, allow_infinity=False), st.text('0#?.,%E+-;[]<>=()/\\"@_* dmyhsGeneral$€', max_size=15)
)
def test_any_number_under_any_format_is_shown_or_said_to_be_unknown(number: float, code: str) -> None:
    shown = show_number(number, code)
    assert shown.text is None or isinstance(shown.text, str)
    assert shown.plain
