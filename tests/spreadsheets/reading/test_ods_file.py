"""OpenDocument sheets, element by element: what LibreOffice writes, and what other programs may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import ods_file
from bulkupdate.spreadsheets.reading.sheet import Sheet
from tests.spreadsheets.reading.making import HEADINGS, codes, read, texts, value_of, write_parts

HIDDEN_STYLE = (
    '<style:style style:name="ta1"><style:table-properties table:display="true"/></style:style>'
    '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
)


def cell(text: str = "", attributes: str = "") -> str:
    paragraph = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell {attributes}>{paragraph}</table:table-cell>"


def typed(kind: str, value: str, text: str = "", more: str = "") -> str:
    name = {"boolean": "boolean-value", "date": "date-value", "time": "time-value", "string": "string-value"}
    return cell(text, f'office:value-type="{kind}" office:{name.get(kind, "value")}="{value}" {more}')


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def table(*rows: str, name: str = "Customers", attributes: str = "") -> str:
    return f'<table:table table:name="{name}" {attributes}>{"".join(rows)}</table:table>'


HEADING = row(*map(cell, HEADINGS))


def write_ods(folder: Path, *tables: str) -> Path:
    content = f"<office:document-content>{HIDDEN_STYLE}{''.join(tables)}</office:document-content>"
    return write_parts(folder / "a.ods", {"content.xml": content})


def read_rows(folder: Path, *rows: str) -> Sheet:
    return read(write_ods(folder, table(HEADING, *rows)))


def place(heading: str, content: str) -> str:
    """A row of customer 163 with one more cell."""
    before = HEADINGS.index(heading) - 1
    blanks = cell(attributes=f'table:number-columns-repeated="{before}"') if before else ""
    return row(cell("163"), blanks, content)


@pytest.mark.parametrize(
    ("content", "text", "problems"),
    [
        (cell("a"), "a", []), (typed("string", "kept"), "kept", []), (typed("string", "kept", "shown"), "shown", []),
        (typed("boolean", "true", "WAHR"), "TRUE", []), (typed("boolean", "false", "FALSCH"), "FALSE", []),
        (typed("float", "12", "12"), "12", []), (typed("float", "-5", "-5.0"), "-5.0", []),
        (typed("float", "42", "00042"), "00042", []), (typed("float", "", "12 or so"), "12 or so", []),
        (typed("float", "1", "TRUE"), "TRUE", []), (typed("float", "0", "FALSE"), "FALSE", []),
        (typed("float", "999999999999999", "999999999999999"), "999999999999999", []),
        (typed("float", "1e15", "1000000000000000"), "1000000000000000", ["lost-digits"]),
        (typed("float", "12.345", "12.35"), "12.35", ["rounded-display"]),
        (typed("float", "0.5", "###"), "0.5", ["number-format"]),
        (typed("float", "5e9", "5.00E+09"), "5000000000", ["number-format"]),
        (typed("currency", "1234.5", "1.234,50 €"), "1.234,50 €", []),
        (typed("percentage", "0.055", "5.5%"), "5.5%", []),
        (typed("percentage", "0.0525", "5%"), "5%", ["rounded-display"]),
        (typed("date", "2026-01-04", "4.1.26"), "4.1.26", ["date"]),
        (typed("date", "2026-01-04"), "2026-01-04", ["date"]),
        (typed("time", "PT30H", "30:00"), "30:00", ["date"]), (typed("time", "PT30H"), "PT30H", ["date"]),
        (cell("", 'table:formula="of:=A1"'), "of:=A1", ["formula-not-calculated"]),
        (cell("", 'table:formula="of:=A1" office:value-type="string"'), "", []),
        (cell("ab", 'table:formula="of:=A1"'), "ab", []),
        (cell("#N/A", 'table:formula="of:=A1"'), "#N/A", ["error-cell"]),
        (cell("Err:502", 'table:formula="of:=A1"'), "Err:502", ["error-cell"]),
        (typed("string", "#N/A", "#N/A", 'table:formula="of:=A1"'), "#N/A", []), (cell("#N/A"), "#N/A", []),
        (cell("#DIV/0!", 'calcext:value-type="error"'), "#DIV/0!", ["error-cell"]),
        (cell("", 'calcext:value-type="error"'), "#N/A", ["error-cell"]),
    ],
)  # fmt: skip
def test_a_cell_is_the_text_that_it_shows(tmp_path: Path, content: str, text: str, problems: list[str]) -> None:
    sheet = read_rows(tmp_path, place("Comments", content), row(cell("164"), cell("Bob")))
    assert (value_of(sheet), codes(sheet)) == (text, problems)


@pytest.mark.parametrize(
    ("content", "text", "problems"),
    [
        (typed("float", "1234.5", "1,234.5"), "1234.5", ["number-format"]),
        (typed("float", "12.5", "12.50"), "12.50", []),
    ],
)
def test_a_number_column_gets_the_number_without_separators(
    tmp_path: Path, content: str, text: str, problems: list[str]
) -> None:
    sheet = read_rows(tmp_path, place("AccountManager1Commission", content))
    assert (value_of(sheet, "AccountManager1Commission"), codes(sheet)) == (text, problems)


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<text:p>a</text:p><text:p>b</text:p>", "a\nb"), (" x <text:p>a</text:p> x ", "a"),
        ("<text:p>a<text:s/>b</text:p>", "a b"), ('<text:p>a<text:s text:c="3"/>b</text:p>', "a   b"),
        ('<text:p>a<text:s text:c="40000"/>b</text:p>', f"a{' ' * 32_767}b"),
        ("<text:p>a<text:tab/>b<text:line-break/>c</text:p>", "a\tb\nc"),
        ("<text:p>a<text:span>b</text:span>c</text:p>", "abc"),
        ("<text:p>a<office:annotation><text:p>note<text:s/></text:p></office:annotation>b</text:p>", "ab"),
        ("<draw:frame><draw:text-box><text:p>x</text:p></draw:text-box> </draw:frame><text:p>a</text:p>", "a"),
    ],
)  # fmt: skip
def test_the_text_of_a_cell_is_its_paragraphs_without_what_is_beside_them(
    tmp_path: Path, inner: str, text: str
) -> None:
    content = f"<table:table-cell>{inner}</table:table-cell>"
    assert value_of(read_rows(tmp_path, place("Comments", content))) == text


def test_repeated_cells_and_rows_stand_in_each_of_their_places(tmp_path: Path) -> None:
    twice, rows_twice = 'table:number-columns-repeated="2"', 'table:number-rows-repeated="2"'
    rest = cell(attributes='table:number-columns-repeated="900"')
    sheet = read_rows(
        tmp_path,
        row(cell("163"), cell(attributes=twice), cell("5", twice), rest),
        row(cell(), attributes='table:number-rows-repeated="3"'),
        row(cell("164"), cell("#N/A", f'{twice} calcext:value-type="error"'), attributes=rows_twice),
        row(cell("165"), cell("Cid", 'table:number-columns-repeated="0"')),
    )
    assert texts(sheet) == [
        ["163", "", "", "5", "5", ""], *[["164", "#N/A", "#N/A", "", "", ""]] * 2, ["165", "Cid", "", "", "", ""],
    ]  # fmt: skip
    assert sheet.row_numbers.tolist() == [2, 6, 7, 8]
    assert [(each.row, each.column) for each in sheet.problems] == [
        (6, "Name"), (6, "Email"), (7, "Name"), (7, "Email"),
    ]  # fmt: skip


def test_merged_cells_are_an_error_where_they_cover_others(tmp_path: Path) -> None:
    wide = 'table:number-columns-spanned="2" table:number-rows-spanned="2"'
    covered = "<table:covered-table-cell/>"
    sheet = read_rows(
        tmp_path, row(cell("163"), cell("Ann", wide), covered), row(cell("164"), covered, covered, cell("5")),
        row(cell("165")), row(cell("166")),
    )  # fmt: skip
    assert [(each.row, each.column, each.code) for each in sheet.problems] == [
        (2, "Email", "merged"), (3, "Name", "merged"), (3, "Email", "merged"),
    ]  # fmt: skip
    assert texts(sheet)[1][:4] == ["164", "", "", "5"]


def test_hidden_rows_and_columns_and_formulas_are_counted(tmp_path: Path) -> None:
    columns = (
        '<table:table-column table:visibility="collapse" table:number-columns-repeated="2"/><table:table-column/>'
        '<table:table-column table:visibility="filter"/>'
    )
    sheet = read(
        write_ods(
            tmp_path,
            table(
                columns,
                HEADING,
                row(cell("163"), attributes='table:visibility="filter" table:number-rows-repeated="2"'),
                row(cell("164"), typed("float", "5", "5", 'table:formula="of:=2+3"')),
                row(cell("165"), attributes='table:visibility="collapse"'),
                row(cell(), attributes='table:visibility="collapse" table:number-rows-repeated="9"'),
            ),
        )
    )
    assert sheet.notes == (
        "3 hidden rows were read.", "3 hidden columns were read.", "1 formula was read by its stored value.",
    )  # fmt: skip


@pytest.mark.parametrize(("count", "notes"), [(999, ("999 hidden columns were read.",)), (1000, ())])
def test_columns_hidden_up_to_the_edge_are_not_counted(tmp_path: Path, count: int, notes: tuple[str, ...]) -> None:
    column = f'<table:table-column table:visibility="collapse" table:number-columns-repeated="{count}"/>'
    assert read(write_ods(tmp_path, table(column, HEADING, row(cell("163"))))).notes == notes


def test_headings_are_found_down_to_row_30(tmp_path: Path) -> None:
    for above in (29, 30):
        titles = row(cell("Customers"), attributes=f'table:number-rows-repeated="{above}"')
        path = write_ods(tmp_path, table(titles, HEADING, row(cell("163"), cell("Ann"))))
        if above == 29:
            assert (read(path).header.number, read(path).row_numbers.tolist()) == (30, [31])
        else:
            with pytest.raises(InputFileError, match="has no column CustomerId"):
                read(path)


def test_only_the_cells_of_the_chosen_table_are_read(tmp_path: Path) -> None:
    other = row(cell("CustomerId"), cell("Name"), cell("Fax"))
    path = write_ods(
        tmp_path,
        table(row(cell("hello")), name="Front"),
        "<text:p>between</text:p>",
        table(HEADING, row(cell("163"), cell("Ann")), attributes='table:style-name="ta1"'),
        table(other, row(cell("1"), cell("Old")), name="Old", attributes='table:style-name="ta2"'),
    )
    sheet = read(path)
    assert (sheet.sheet_name, texts(sheet)) == ("Customers", [["163", "Ann", "", "", "", ""]])
    assert texts(read(path, sheet="Old")) == [["1", "Old", ""]]


def test_named_ranges_are_no_sheets(tmp_path: Path) -> None:
    named = '<table:named-expressions><table:named-range table:name="Range" table:cell-range-address="$A.$A$1"/>'
    path = write_ods(tmp_path, table(row(cell("hello"))), f"{named}</table:named-expressions>")
    with pytest.raises(InputFileError) as refused:
        read(path, sheet="Range")
    assert "Its sheets: Customers." in str(refused.value)


def test_cells_right_of_the_headings_are_read_too(tmp_path: Path) -> None:
    assert texts(read_rows(tmp_path, row(*map(cell, ["163", "", "", "", "", "", "note"]))))[0][6] == "note"
    far = row(cell("163"), cell("x", 'table:number-columns-repeated="20000"'))
    with pytest.raises(InputFileError, match="extends to column 16,384;"):
        read_rows(tmp_path, far)


def test_a_text_of_any_length_that_a_program_could_show_is_read_and_no_longer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ods_file, "MAX_TEXT", 50)
    assert value_of(read_rows(tmp_path, place("Comments", cell("x" * 50)))) == "x" * 50
    with pytest.raises(InputFileError, match="more text than any spreadsheet allows"):
        read_rows(tmp_path, place("Comments", cell("x" * 51)))
    monkeypatch.undo()
    assert len(value_of(read_rows(tmp_path, place("Comments", cell("x" * 100_000))))) == 100_000


def test_a_damaged_or_protected_document_is_refused(tmp_path: Path) -> None:
    good = f"<a>{table(HEADING, row(cell('163')))}</a>"
    for content in (good[:-4], good.replace("<a>", "<a><b>"), good[:200]):
        with pytest.raises(InputFileError, match="is damaged or cut off"):
            read(write_parts(tmp_path / "b.ods", {"content.xml": content}))
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        read_rows(tmp_path, row(cell("163"), cell("Ann", 'table:number-columns-repeated="two"')))
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        read(write_parts(tmp_path / "c.ods", {"mimetype": "x"}))
    manifest = "<manifest:manifest><manifest:file-entry/></manifest:manifest>"
    parts: dict[str, bytes | str] = {"content.xml": good, "META-INF/manifest.xml": manifest}
    assert texts(read(write_parts(tmp_path / "d.ods", parts)))[0][0] == "163"
    parts["META-INF/manifest.xml"] = manifest.replace("file-entry", "encryption-data")
    with pytest.raises(InputFileError, match="is password-protected"):
        read(write_parts(tmp_path / "e.ods", parts))
