"""What holds for any file and any cells."""

from __future__ import annotations

import random
import re
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineError, CalamineWorkbook

from bulkupdate.errors import BulkUpdateError, InputFileError
from bulkupdate.spreadsheets.reading.number_display import show_number
from bulkupdate.spreadsheets.reading.xlsx_cells import Styles
from bulkupdate.spreadsheets.reading.xlsx_extent import measure_extent
from bulkupdate.spreadsheets.reading.xlsx_parse import parse_sheet
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    MAIN,
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


PIECES = [
    '<row r="2">', '<row r="9">', "</row>", '<row r="5"/>', '<c r="A2">', '<c r="C7" t="s">', '<c r="AB9">', "</c>",
    "<v>1</v>", "<v/>", "<v></v>", "<is><t>x</t></is>", "<f>A1</f>", "<f/>", "<!--", "-->", "<?x", "?>", '"', "'",
    ">", "<", "/", " ", "\n", "\t", "=", 'a="', "</sheetData>", "<sheetData>", "<sheetData/>", "<x>", "</x>",
    '<x:c r="D9">', '<:row r="9">', 't="str"', "t='s'", 'r="Z99"', " r=", 'r="ab5"', "<![CDATA[", "]]>", "&lt;",
    '<c r="B3" s="1"/>', "A", "9", "<row", "<c", "<v", "<is", "</v>", "</is>", "x:",
]  # fmt: skip
SOUND = (
    '<row r="1"><c r="A1"><v>1</v></c></row>'
    '<row r="2"><c r="A2" t="str"><v>a</v></c><c r="B2" t="inlineStr"><is><t>q</t></is></c></row>'
    '<row r="3"><c r="A3"><f>A1</f><v>3</v></c></row>'
)


def spoil(chance: random.Random) -> str:
    """The XML of a sheet with up to four pieces of XML too much, or some of its own lost or moved."""
    tags = re.findall(r"<[^<>]*>|[^<>]+", SOUND)
    for _ in range(chance.randint(1, 4)):
        at, other = chance.randrange(len(tags)), chance.randrange(len(tags))
        match chance.randrange(4):
            case 0:
                tags.insert(at, chance.choice([*PIECES, tags[other]]))
            case 1 if len(tags) > 1:
                del tags[at]
            case 2:
                tags[at], tags[other] = tags[other], tags[at]
            case _:
                inside = chance.randrange(len(tags[at]) + 1)
                tags[at] = tags[at][:inside] + chance.choice(PIECES) + tags[at][inside:]
    around = [chance.choice(["", "", "", chance.choice(PIECES) + chance.choice(PIECES)]) for _ in range(2)]
    rows = "".join(tags)
    return f'<worksheet xmlns="{MAIN}">{around[0]}<sheetData>{rows}</sheetData>{around[1]}</worksheet>'


@pytest.mark.parametrize("seed", [0, *(pytest.param(each, marks=pytest.mark.long) for each in range(1, 11))])
def test_calamine_sees_no_cell_beyond_the_range_that_was_measured(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    compared = 0
    for _ in range(1500):
        root = spoil(chance)
        path = write_raw_xlsx(tmp_path / "a.xlsx", "", root=root, shared="<si><t>A</t></si><si><t>B</t></si>")
        size = chance.choice([30, 80, 200, 1 << 20])
        blocks = [root.encode()[start : start + size] for start in range(0, len(root), size)]
        try:
            extent = measure_extent(blocks) or parse_sheet(blocks, Styles(["General"])).extent
            sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        except (InputFileError, CalamineError):
            continue
        if sheet.end is not None:
            compared += 1
            assert (sheet.end[0] < extent.last_row, sheet.end[1] <= extent.last_column) == (True, True), root
    assert compared > 50
