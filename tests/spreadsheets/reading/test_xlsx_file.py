"""The XML of .xlsx files: in Excel's style, which is searched, and in any other, which is parsed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import (
    calamine_book,
    safe_zip,
    shared_strings,
    xlsx_file,
    xlsx_parse,
    xlsx_rows,
    xlsx_scan,
)
from bulkupdate.spreadsheets.reading.sheet import Sheet
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    MAIN,
    codes,
    read,
    text_cell,
    texts,
    value_of,
    write_parts,
    write_raw_xlsx,
)

STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="&quot;ID &quot;0"/>'
    '<numFmt numFmtId="165" formatCode="@&quot; GmbH&quot;"/>'
    '<numFmt numFmtId="166" formatCode="yyyy-mm-dd"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="1"/>'
    '<xf numFmtId="2"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="x"/></cellXfs>'
)  # fmt: skip
PARSED = "<!-- parsed, as no program writes this -->"
both = pytest.mark.parametrize("comment", ["", PARSED])


def write(
    path: Path,
    rows: str,
    *,
    comment: str = "",
    before: str = "",
    after: str = "",
    workbook: str = "",
    styles: str = STYLES,
) -> Path:
    root = f'<worksheet xmlns="{MAIN}">{comment}{before}<sheetData>{HEADING_ROW}{rows}</sheetData>{after}</worksheet>'
    return write_raw_xlsx(path, "", root=root, styles=styles, workbook=workbook)


def read_cell(folder: Path, cell: str, comment: str, workbook: str = "") -> Sheet:
    row = f'<row r="2"><c r="A2"><v>163</v></c>{cell}</row>'
    other = f'<row r="3"><c r="A3"><v>164</v></c>{text_cell("B3", "Bob")}</row>'
    return read(write(folder / "a.xlsx", row + other, comment=comment, workbook=workbook))


@both
@pytest.mark.parametrize(
    ("cell", "text", "problems"),
    [
        ('<c r="B2"><v>5</v></c>', "5", []), ('<c r="B2" s="1"><v>5</v></c>', "5", []),
        ('<c r="B2" s="1"><v>5.5</v></c>', "6", ["rounded-display"]),
        ('<c r="B2" s="1"><v>55E-1</v></c>', "6", ["rounded-display"]), ('<c r="B2" s="1"><v>5E+1</v></c>', "50", []),
        ('<c r="B2" s="2"><v>5</v></c>', "5.00", []), ('<c r="B2" s="2" t="n"><v>5</v></c>', "5.00", []),
        ('<c r="B2" s="3"><v>7</v></c>', "ID 7", []), ('<c r="B2" s="2" t="b"><v>1</v></c>', "TRUE", []),
        ('<c r="B2" s="9"><v>5.5</v></c>', "5.5", []), ('<c r="B2" s="6"><v>5.5</v></c>', "5.5", []),
        ('<c r="B2" s="2"/>', "", []), ('<c r="B2" s="2"></c>', "", []), ('<c r="B2" s="2"><v></v></c>', "", []),
        ('<c r="B2" s="2"><v>x</v></c>', "x", []),
        ('<c r="B2"><v>999999999999999</v></c>', "999999999999999", []),
        ('<c r="B2"><v>1000000000000000</v></c>', "1000000000000000", ["lost-digits"]),
        ('<c r="B2"><v>-1000000000000000</v></c>', "-1000000000000000", ["lost-digits"]),
        ('<c r="B2" s="1"><v>1e15</v></c>', "1000000000000000", ["lost-digits"]),
        ('<c r="B2" s="5"><v>46026</v></c>', "2026-01-04", ["date"]),
        ('<c r="B2" s="5" t="d"><v>2026-01-04T00:00:00Z</v></c>', "2026-01-04", ["date"]),
        ('<c r="B2" t="d"><v>2026-01-04T12:00:00</v></c>', "46026.5", []),
        (text_cell("B2", "Ann").replace("<c ", '<c s="4" '), "Ann GmbH", []),
        (text_cell("B2", "Ann").replace(' t="inlineStr"', ' t="inlineStr" s="4"'), "Ann GmbH", []),
        ('<c r="B2" s="4" t="str"><f>A1</f><v>Ann</v></c>', "Ann GmbH", []),
        ('<c r="B2" s="2" t="str"><f>A1</f><v>5</v></c>', "5", []),
        ('<c r="B2" t="e"><v>#REF!</v></c>', "#REF!", ["error-cell"]), ('<c r="B2" t="e"/>', "#N/A", ["error-cell"]),
        ('<c r="B2" s="2" t="e"><f>A1</f><v>#REF!</v></c>', "#REF!", ["error-cell"]),
        ('<c r="B2"><f>A1+A2</f></c>', "=A1+A2", ["formula-not-calculated"]),
        ('<c r="B2"><f>A1&amp;A2</f><v></v></c>', "=A1&A2", ["formula-not-calculated"]),
        ('<c r="B2" t="str"><f>A1</f></c>', "=A1", ["formula-not-calculated"]),
        ('<c r="B2" t="b"><f>A1</f></c>', "=A1", ["formula-not-calculated"]),
        ('<c r="B2"><f>A1</f><v>0</v></c>', "0", []),
        ('<c r="B2" s="2"><f>A1</f><v>12.5</v></c>', "12.50", []),
        ('<c r="B2"><f/></c>', "=", ["formula-not-calculated"]),
    ],
)  # fmt: skip
def test_a_cell_is_what_excel_shows(tmp_path: Path, comment: str, cell: str, text: str, problems: list[str]) -> None:
    sheet = read_cell(tmp_path, cell, comment)
    assert (value_of(sheet, "Name"), codes(sheet), value_of(sheet, "Name", 1)) == (text, problems, "Bob")


@both
@pytest.mark.parametrize("full", ["1", "true", "on", "0"])
def test_zeros_of_a_book_that_was_never_calculated_are_no_results(tmp_path: Path, comment: str, full: str) -> None:
    calculation = f'<calcPr fullCalcOnLoad="{full}"/>'
    expected = [] if full == "0" else ["formula-not-calculated"]
    assert codes(read_cell(tmp_path, '<c r="B2"><f>A1</f><v>0</v></c>', comment, calculation)) == expected
    assert codes(read_cell(tmp_path, '<c r="B2"><f>A1</f><v>5</v></c>', comment, calculation)) == []
    assert codes(read_cell(tmp_path, '<c r="B2"><v>0</v></c>', comment, calculation)) == []


@both
def test_what_is_hidden_merged_or_calculated_is_said(tmp_path: Path, comment: str) -> None:
    before = (
        '<sheetViews><sheetView showZeros="false"/></sheetViews><cols><col min="2" max="3" hidden="1"/>'
        '<col min="4" max="9"/><col min="10" max="10" hidden="true"/><col min="11" max="16384" hidden="1"/></cols>'
    )
    rows = (
        f'<row r="2" hidden="true"><c r="A2"><v>163</v></c>{text_cell("B2", "Ann")}</row>'
        '<row r="3" hidden="1"><c r="A3"><f>100+64</f><v>164</v></c></row>'
        '<row r="4" hidden="0"><c r="A4"><f>A2+2</f><v>165</v></c></row>'
    )
    merges = '<mergeCells><mergeCell ref="B2:B3"/><mergeCell ref="C4:C4"/><mergeCell ref="D2:XXXX4"/></mergeCells>'
    sheet = read(write(tmp_path / "a.xlsx", rows, comment=comment, before=before, after=merges))
    assert sheet.notes == (
        "2 hidden rows were read.", "3 hidden columns were read.", "2 formulas were read by their stored values.",
        "The sheet shows zeros as blanks (an option of the sheet); a cell that holds 0 was read as 0.",
    )  # fmt: skip
    assert [(each.row, each.column, each.code) for each in sheet.problems] == [(3, "Name", "merged")]


@both
def test_a_rule_without_a_number_format_is_not_said(tmp_path: Path, comment: str) -> None:
    rule = '<conditionalFormatting sqref="B2"><cfRule type="expression" dxfId="0"/></conditionalFormatting>'
    row = '<row r="2"><c r="A2"><v>163</v></c></row>'
    assert read(write(tmp_path / "a.xlsx", row, comment=comment, after=rule)).notes == ()
    styles = STYLES + '<dxfs><dxf><numFmt numFmtId="164" formatCode="0%"/></dxf></dxfs>'
    assert len(read(write(tmp_path / "b.xlsx", row, comment=comment, after=rule, styles=styles)).notes) == 1
    assert read(write(tmp_path / "c.xlsx", row, comment=comment, styles=styles)).notes == ()


@both
def test_a_cell_far_from_the_others_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: str
) -> None:
    """As soon as the rectangle around all cells is larger than is allowed even if it is nearly empty."""
    monkeypatch.setattr(xlsx_file, "ROOMY_AREA", 28 * 4 - 1)
    far = '<row r="2"><c r="A2"><v>163</v></c></row><row r="{0}"><c r="AB{0}"><v>1</v></c></row>'
    assert texts(read(write(tmp_path / "a.xlsx", far.format(3), comment=comment)))[1][27] == "1"
    with pytest.raises(InputFileError) as refused:
        read(write(tmp_path / "b.xlsx", far.format(4), comment=comment))
    assert str(refused.value) == (
        "The sheet “Customers” reaches to row 4 and column 28, although only 5 cells are filled."
    )


@both
def test_a_sheet_may_be_a_quarter_full_however_large_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: str
) -> None:
    monkeypatch.setattr(xlsx_file, "ROOMY_AREA", 1)
    heading = "".join(text_cell(f"{chr(65 + at)}1", name) for at, name in enumerate(["CustomerId", *["x"] * 25]))
    for last, is_read in ((4, True), (5, False)):  # 27 filled cells: an area of up to 108, in rows of 26
        rows = f'<row r="1">{heading}</row><row r="{last}"><c r="A{last}"><v>163</v></c></row>'
        root = f'<worksheet xmlns="{MAIN}">{comment}<sheetData>{rows}</sheetData></worksheet>'
        path = write_raw_xlsx(tmp_path / "a.xlsx", "", root=root)
        if is_read:
            assert read(path).row_numbers.tolist() == [4]
        else:
            with pytest.raises(InputFileError, match="reaches to row 5 and column 26, although only 27 cells"):
                read(path)


FAR_ROW = '<row r="9"><c r="AB9"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        ("9", "9"), ('"AB9"', "'AB9'"), ('"AB9"', '"ab9"'), ('"AB9"', '"AB9"\n'), ('<c r="AB9"', "<c a='>' r='AB9'"),
        ('<c r="AB9"', '<c a=">" r="AB9"'), ('<c r="AB9"', "<c r=\"A9\" a=\">\"/><c r='AB9'"), ("<c r", "<c\tr"),
        ("<c r", "<c  r"), ("<c r", '<c s="0" r'), ("<c r", '<c ref="B2" r'), ("<c r=", "<c r ="), ("<c r=", "<c r= "),
        ("<c", "<!-- --><c"), ("/v>", "/v >"), ("/c>", "/c >"), ("<v>1</v>", "<is ><t>1</t></is>"),
        ("<v>1</v>", "<x:v>1</x:v>"), ('<c r="AB9"', '<c r="AA9"/><c'), (FAR_ROW[11:-6], "<x:c r='AB9'><v>1</v></x:c>"),
        ('<row r="9">', '<row r="9"\tht="9">'), ('<row r="9">', '<row ht="9"\nr="9">'), ('<row r="9">', "<row r='9'>"),
        ('<row r="9">', "<row>"), ('<row r="9">', '<row rr="9">'), ('<row r="9">', '<row ht="9" x:h="2" >'),
        (FAR_ROW, f'<x:row r="9">{FAR_ROW[11:-6]}</x:row>'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_no_notation_hides_a_cell_far_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: str, other: str, size: int
) -> None:
    """Not even in a row far below one of Excel's: calamine would allocate everything up to it."""
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    monkeypatch.setattr(xlsx_file, "ROOMY_AREA", 100)
    near = "".join(f'<row r="{at}"><c r="A{at}"><v>{at}</v></c></row>' for at in range(2, 9))
    assert usual in FAR_ROW
    with pytest.raises(InputFileError, match="reaches to row 9 and column 28, although only 11 cells"):
        read(write(tmp_path / "a.xlsx", near + FAR_ROW.replace(usual, other)))


@pytest.mark.parametrize(
    ("cell", "is_opened_again"),
    [
        ('<c r="B2" s="5"><v>46000</v></c>', False), ('<c r="B2" s="5"><v>10000000</v></c>', False),
        ('<c r="B2" s="5"><v>10000001</v></c>', True), ('<c r="B2" s="1"><v>10000001.5</v></c>', False),
    ],
)  # fmt: skip
def test_a_workbook_is_opened_again_only_for_a_date_that_calamine_cannot_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, is_opened_again: bool
) -> None:
    opened = []
    book = calamine_book.CalamineBook
    original = book.without

    def open_again(self: calamine_book.CalamineBook, package: safe_zip.Package, part: str) -> object:
        opened.append(part)
        return original(self, package, part)

    monkeypatch.setattr(book, "without", open_again)
    read_cell(tmp_path, cell, "")
    assert opened == ["xl/styles.xml"] * is_opened_again


@pytest.mark.parametrize(("error", "raised"), [("PanicException", InputFileError), ("Stopped", KeyboardInterrupt)])
def test_a_panic_of_calamine_is_damage_and_ctrl_c_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, raised: type[BaseException]
) -> None:
    """Its panics are no exceptions. No file is known any more that causes one."""

    def fail(_path: Path) -> None:
        raise type(error, (KeyboardInterrupt,), {})

    monkeypatch.setattr(calamine_book, "CalamineWorkbook", SimpleNamespace(from_path=fail))
    with pytest.raises(raised):
        calamine_book.CalamineBook(tmp_path / "a.xlsx")


def test_a_row_without_its_end_is_damage(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is damaged"):
        read(write(tmp_path / "a.xlsx", FAR_ROW.removesuffix("</row>")))


A_CELL = '<c r="A2"><v>2</v></c>'


@pytest.mark.parametrize(
    "rows",
    [
        f'<row r="2">{A_CELL}<c r="AB900"><v>1</v></c></row>',
        '<row r="2"><c r="A900"><v>1</v></c></row>',
        '<row r="000000000900"><c r="A900"><v>1</v></c></row>',
        '<c r="A900"><v>1</v></c><row r="3"></row>',
        '<row r="900"><row r="2"/><c r="A900"><v>1</v></c></row>',
        '<row r="900"><c r="A900"><row r="2"/><v>1</v></c></row>',
        f'<row r="900"><c r="A900"><f>{A_CELL}</f><v>1</v></c></row>',
        '<row r="900"><c r="A900"><?x <row r="2"?><v>1</v></c></row>',
        '<row r="9"><c r="ABC9" a="/"><v>1</v></c></row>',
        '<row r="9"><c r="Zzz9"><v>1</v></c></row>',
        '<row r="9"><c r="AAAB9"><v>1</v></c></row>',
        '<row r="9"><c r="A2" r="ABC9"><v>1</v></c></row>',
        '<row r="9"><c r="A2"r="ABC9"><v>1</v></c></row>',
        """<row r="2"><c r="A2" a="<>" r='ABC2'><v>1</v></c></row>""",
        '<row r="2"><:c r="AB900"><v>1</v></:c></row>',
        '<row r="2"><c r="A4294968196"><v>1</v></c></row>',
        '<row r="900"><c r="A900" t="str"><v/></c></row>',
        '<row r="900"><c r="A900" t="str"><f>""</f><v></v></c></row>',
        '<row r="900"><c r="A900" t="d"><v></v></c></row>',
        '<row r="900"><c r="A900" t="inlineStr"><is/></c></row>',
        '<row r="900"><c r="A900" t="inlineStr"><is><r></r></is></c></row>',
        '<row r="900"><c r="A900"><v>1</v></c></row><row r="901"/>',
        '<row r="900"><c r="A900"><v>1</v></c></row><row r="901"><c r="A901" s="1"/></row>',
        f'<row r="900"><c r="A900"><v>1</v></c></row><row r="2">{A_CELL}</row>',
    ],
)
@pytest.mark.parametrize("comment", ["", PARSED])
def test_wherever_calamine_sees_a_cell_it_is_seen_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, comment: str
) -> None:
    """It goes by the reference of the cell alone, and takes nearly anything for XML."""
    monkeypatch.setattr(xlsx_file, "ROOMY_AREA", 800)
    with pytest.raises(InputFileError, match=r"reaches to row|is damaged"):
        read(write(tmp_path / "a.xlsx", rows, comment=comment))


def write_far_cell(folder: Path, monkeypatch: pytest.MonkeyPatch, size: int, row: str, before: str = "") -> Path:
    """A sheet read in blocks of this size, with a cell beyond what it may reach, some blocks after this row."""
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    monkeypatch.setattr(xlsx_file, "ROOMY_AREA", 800)
    rows = f'{row}{" " * 900}<row r="900"><c r="A900"><v>1</v></c></row>'
    return write(folder / "a.xlsx", rows, before=before)


@pytest.mark.parametrize(
    "before",
    [
        '<x a="</sheetData>"/>', "<?x </sheetData>?>", "<x></sheetData>", "<!-- <sheetData></sheetData> -->",
        f'<x a="<sheetData>{HEADING_ROW}</sheetData>"/>', f"<!--<sheetData>{HEADING_ROW}</sheetData>-->",
        f"<?x <sheetData>{HEADING_ROW}</sheetData>?>", f'<x a="><sheetData>{HEADING_ROW}</sheetData>"/>',
        "<x><sheetData></x>", "<x:sheetData></x:sheetData>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [200, 1 << 20])
def test_nothing_before_the_rows_is_taken_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, size: int
) -> None:
    path = write_far_cell(tmp_path, monkeypatch, size, f'<row r="2">{A_CELL}</row>', before)
    with pytest.raises(InputFileError, match=r"reaches to row|is damaged|no rows"):
        read(path)


@pytest.mark.parametrize(
    "row",
    [
        f'<row r="2" a="</sheetData>">{A_CELL}</row>',
        '<row r="2"><c r="A2"><f><row r="2"></row><sheetData></sheetData></f><v>1</v></c></row>',
        f'<row r="2">{A_CELL}</row><x></sheetData></x>',
    ],
)
@pytest.mark.parametrize("size", [200, 1 << 20])
def test_no_end_of_the_rows_is_believed_but_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, size: int
) -> None:
    path = write_far_cell(tmp_path, monkeypatch, size, row)
    with pytest.raises(InputFileError, match=r"reaches to row|is damaged"):
        read(path)


@pytest.mark.parametrize(
    "rows",
    [
        f'<row r="2" spans="1:2 5:7" customHeight="1" x14ac:dyDescent="0.25">{A_CELL}</row>\r\n  <row r="3"/>',
        '<row r="2" spans="1:1">\r\n    <c r="A2" s="1" cm="1">\r\n<f t="shared" ref="A2:A9" si="0">IF(A1=">5",1)</f>\n'
        "<v>2</v>\n</c>\n</row>",
        '<row customFormat="false" ht="12.8" hidden="false" outlineLevel="0" r="2">'
        '<c r="A2" s="0" t="n"><v>2</v></c></row>',
        '<row r="2"><c s="1" r="A2"><v>2</v></c><c t="str" r="B2"><f>"a"</f><v xml:space="preserve"> a </v></c></row>',
        f'<row r="2">{A_CELL}<c r="B2" t="inlineStr"><is><r><rPr><b></b><i></i><i/><sz val="11"/></rPr>'
        '<t xml:space="preserve">x="a>b" </t></r></is></c></row>',
        f'<row r="2" >{A_CELL}<c r="C2" s="1" /></row>'
        '<row r="1048576"><c r="ZZ1048576" s="1"></c><c r="ZZZ1048576" s="1"/></row>',
        f'<row r="2">{A_CELL}</row>' + "".join(f'<row r="{at}" ht="15"></row>' for at in range(1_048_557, 1_048_577)),
    ],
)
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_what_spreadsheet_programs_write_needs_no_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, size: int
) -> None:
    """It takes fifteen times as long."""
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    monkeypatch.delattr(xlsx_file, "parse_sheet")
    before = '<sheetPr codeName="Tabelle&quot;1"/><dimension ref=\'A1:C9\'/><sheetViews><sheetView a="1"/></sheetViews>'
    after = '<extLst><ext><x14:row r="9"/><xdr:c r="C9"/></ext></extLst>'
    assert texts(read(write(tmp_path / "a.xlsx", rows, before=before, after=after)))[0][0] == "2"


def test_an_empty_inline_text_is_a_blank_cell_and_what_follows_it_is_read(tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2">\n<v>163</v></c><c r="B2" t="inlineStr"><is/></c>\n<c r="C2">\n<v>5</v></c></row>'
    assert texts(read(write(tmp_path / "a.xlsx", row, comment=PARSED))) == [["163", "", "5"]]


def test_rows_and_cells_without_a_place_follow_each_other(tmp_path: Path) -> None:
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    heading = "".join(map(cell.format, ("CustomerId", "Name", "Phone1")))
    rows = (
        f"<row>{heading}</row><row><c><v>163</v></c><c t='e'><v>#N/A</v></c></row>"
        "<row r='5'><c><v>164</v></c><c r='C5' t='e'><v>#REF!</v></c></row>"
        "<row><c><v>165</v></c><c s='1'><v>5.5</v></c></row>"
    )
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", rows, styles=STYLES))
    assert [(each.row, each.column, each.code) for each in sheet.problems] == [
        (2, "Name", "error-cell"), (5, "Phone1", "error-cell"), (6, "Name", "rounded-display"),
    ]  # fmt: skip


@both
@pytest.mark.parametrize("size", [200, 333, 1000])
def test_a_sheet_reads_the_same_whatever_the_size_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: str, size: int
) -> None:
    rows = "".join(
        f'<row r="{at}" hidden="{at % 2}"><c r="A{at}"><v>{at}</v></c><c r="B{at}" s="{at % 6}"><v>{at}.5</v></c></row>'
        for at in range(2, 60)
    )
    before, after = (
        '<cols><col min="2" max="2" hidden="1"/></cols>',
        '<mergeCells><mergeCell ref="C2:C3"/></mergeCells>',
    )
    path = write(tmp_path / "a.xlsx", rows, comment=comment, before=before, after=after)
    whole = read(path)
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    monkeypatch.setattr(calamine_book, "CHUNK_ROWS", size // 100)
    monkeypatch.setattr(calamine_book, "MAX_KEPT_TEXTS", 2)
    sheet = read(path)
    assert (texts(sheet), sheet.problems, sheet.notes) == (texts(whole), whole.problems, whole.notes)
    assert whole.notes == ("29 hidden rows were read.", "1 hidden column was read.")


def test_sizes_that_no_program_writes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = f'<row r="2"><c r="A2"><v>163</v></c>{text_cell("B2", "x" * 300)}</row>'
    merges = '<mergeCells><mergeCell ref="A5:A6"/><mergeCell ref="A7:A8"/></mergeCells>'
    path = write(tmp_path / "a.xlsx", row, after=merges)
    monkeypatch.setattr(xlsx_scan, "MAX_MERGES", 2)
    assert not read(path).problems
    monkeypatch.setattr(xlsx_scan, "MAX_MERGES", 1)
    with pytest.raises(InputFileError, match="too many merged cells"):
        read(path)
    monkeypatch.undo()
    monkeypatch.setattr(xlsx_rows, "MAX_ROW_BYTES", 200)
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", 100)
    with pytest.raises(InputFileError, match="far larger than any spreadsheet allows"):
        read(path)
    monkeypatch.undo()
    parsed = write(tmp_path / "b.xlsx", row, comment=PARSED)
    monkeypatch.setattr(xlsx_parse, "MAX_TEXT", 300)
    assert value_of(read(parsed), "Name") == "x" * 300
    monkeypatch.setattr(xlsx_parse, "MAX_TEXT", 299)
    with pytest.raises(InputFileError, match="more text than any spreadsheet allows"):
        read(parsed)


SHARED = f"<si><t>CustomerId</t></si><si><t>Name</t></si><si><t>{'x' * 1000}</t></si><si><t>end</t></si>"
SHARED_ROWS = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>' + "".join(
    f'<row r="{at}"><c r="A{at}"><v>{at}</v></c><c r="B{at}" t="s"><v>2</v></c></row>' for at in range(2, 12)
)
SHARED_BYTES = len("<si><t>CustomerId</t><si><t>Name</t>") + 10 * len(f"<si><t>{'x' * 1000}</t>")


@pytest.mark.parametrize("column", ["B", "AB"])
@pytest.mark.parametrize("size", [100, 700, 1 << 20])
def test_shared_texts_count_for_each_cell_that_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, column: str
) -> None:
    """A text may be a quarter of what the file may unpack to."""
    rows = SHARED_ROWS.replace('"B', f'"{column}')
    path = write_raw_xlsx(tmp_path / "a.xlsx", rows, shared=SHARED)
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    last = texts(read(path, max_unpacked_bytes=4 * SHARED_BYTES))[9]
    assert (last[0], last[-1]) == ("11", "x" * 1000)
    with pytest.raises(InputFileError, match=f"more than {SHARED_BYTES - 1:,} bytes of text"):
        read(path, max_unpacked_bytes=4 * SHARED_BYTES - 1)


@pytest.mark.parametrize(
    ("shared", "rows"),
    [
        (SHARED.replace("</si>", "</si >"), SHARED_ROWS),
        (SHARED.replace("</si>", "</si\n>", 1), SHARED_ROWS),
        (SHARED.replace("<si>", '<si a="b">'), SHARED_ROWS),
        (SHARED.replace("<si>", "<x:si>").replace("</si>", "</x:si>"), SHARED_ROWS),
        (f"<si/>{SHARED}", SHARED_ROWS.replace("<v>2</v></c></row>", "<v>3</v></c></row>")),
        (f"<si />{SHARED}", SHARED_ROWS.replace("<v>2</v></c></row>", "<v>3</v></c></row>")),
        (SHARED.replace("<t>", "<!--</si>--><t>", 1), SHARED_ROWS),
        (SHARED.replace("<t>", "<t><![CDATA[</si>]]>", 1), SHARED_ROWS),
        (SHARED, SHARED_ROWS.replace("<v>2<", "<v> 2 <")),
        (SHARED, SHARED_ROWS.replace("<v>2<", "<v>0000000002<")),
        (SHARED, SHARED_ROWS.replace('"s"', "'s'")),
        (SHARED, SHARED_ROWS.replace('t="s"', 't = "s"')),
        (SHARED, SHARED_ROWS.replace('t="s"', """a=">" t='s'""")),
        (SHARED, SHARED_ROWS.replace(' t="s"><v>2', ' t="s"  ><v a="b">2')),
        (SHARED.replace("<si>", "<x-y:si>").replace("</si>", "</x-y:si>"), SHARED_ROWS),
        (SHARED.replace("x" * 1000, ("x" * 100 + "<!--</si>-->") * 10), SHARED_ROWS),
        ('<si a=">"/>' * 10 + SHARED, SHARED_ROWS.replace("<v>2</v></c></row>", "<v>12</v></c></row>")),
        (SHARED.replace("<t>", '<t a="&lt;/si>&lt;si>">', 1), SHARED_ROWS),
        (f"<si><t/></si>{SHARED}", SHARED_ROWS.replace("<v>2</v></c></row>", "<v>3</v></c></row>")),
        (SHARED, SHARED_ROWS.replace("<v>2</v>", "<v>0</v><v>2</v>")),
        (SHARED, SHARED_ROWS.replace('t="s"><v>2', """zz='t="s'><v>5</v></c><c t="s"><f/><v>2""")),
        (SHARED, SHARED_ROWS[:99] + SHARED_ROWS[99:].replace("</v>", "</v >")),
    ],
)
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_no_notation_hides_how_long_the_shared_texts_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str, rows: str, size: int
) -> None:
    """calamine reads them all, and holds the text once for each cell."""
    path = write_raw_xlsx(tmp_path / "a.xlsx", rows, shared=shared)
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    with pytest.raises(InputFileError, match="bytes of text"):
        read(path, max_unpacked_bytes=4 * 9_999)


@pytest.mark.parametrize(("prefix", "blank"), [("x", " "), ("x-y", " "), ("x", "\n")])
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_rows_may_change_their_notation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, blank: str, size: int
) -> None:
    """calamine reads them, so what is in them has to be measured."""
    first, row, rest = SHARED_ROWS.partition("</row>")
    prefixed = rest.replace("<", f"<{prefix}:").replace(f"<{prefix}:/", f"</{prefix}:").replace(" r=", f"{blank}r=")
    path = write_raw_xlsx(tmp_path / "b.xlsx", first + row + prefixed, shared=SHARED)
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    assert texts(read(path)) == texts(read(write_raw_xlsx(tmp_path / "a.xlsx", SHARED_ROWS, shared=SHARED)))
    with pytest.raises(InputFileError, match="bytes of text"):
        read(path, max_unpacked_bytes=4 * 9_999)


def test_entries_within_each_other_are_damage(tmp_path: Path) -> None:
    path = write_raw_xlsx(tmp_path / "a.xlsx", SHARED_ROWS, shared=f"<si><si><t>a</t></si></si>{SHARED}")
    with pytest.raises(InputFileError, match="is damaged"):
        read(path)


@pytest.mark.parametrize(
    "entry",
    [
        "<t>Sale!--now &lt;!-- ![CDATA[ &lt;/si></t>", '<t xml:space="preserve"> a </t>', "<t/>", "",
        '<r><rPr><b/><sz val="11"/></rPr><t>rich</t></r><r><t> text</t></r><rPh sb="0" eb="1"><t>p</t></rPh>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_what_honest_programs_write_costs_no_more_than_its_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, size: int
) -> None:
    rows = SHARED_ROWS + '<row r="12"><c r="A12" t="s" s="0"><v>4</v></c></row>'
    path = write_raw_xlsx(tmp_path / "a.xlsx", rows, shared=f"{SHARED}<si>{entry}</si>")
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    most = SHARED_BYTES + len(f"<si>{entry}")
    assert len(read(path, max_unpacked_bytes=4 * most).frame) == (10 if entry in ("<t/>", "") else 11)
    with pytest.raises(InputFileError, match="bytes of text"):
        read(path, max_unpacked_bytes=4 * most - 1)


def test_a_cell_beyond_the_shared_texts_is_damage_and_no_bug(tmp_path: Path) -> None:
    """Also if the texts are measured one by one, as there may be too many."""
    rows = SHARED_ROWS.replace('<c r="B11" t="s"><v>2</v></c>', '<c r="B11" t="s"><v>4</v></c>')
    path = write_raw_xlsx(tmp_path / "a.xlsx", rows, shared=SHARED)
    with pytest.raises(InputFileError, match="is damaged"):
        read(path, max_unpacked_bytes=4 * SHARED_BYTES)


def test_one_shared_text_may_not_be_huge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_raw_xlsx(tmp_path / "a.xlsx", SHARED_ROWS, shared=SHARED)
    longest = len(f"<si><t>{'x' * 1000}</t>")
    monkeypatch.setattr(shared_strings, "MAX_ENTRY_BYTES", longest)
    assert len(read(path).frame) == 10
    monkeypatch.setattr(shared_strings, "MAX_ENTRY_BYTES", longest - 1)
    with pytest.raises(InputFileError, match="bytes of text"):
        read(path)


@both
@pytest.mark.parametrize("cell", [text_cell("A{0}", "{1}"), '<c r="A{0}" t="str"><v>{1}</v></c>'])
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_texts_within_the_cells_count_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: str, cell: str, size: int
) -> None:
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    rows = "".join(f'<row r="{at}">{cell.format(at, "1" * 1000)}</row>' for at in range(2, 12))
    path = write(tmp_path / "a.xlsx", rows, comment=comment)
    size = 10 * 1000 + len("CustomerIdNamePhone1")
    assert len(read(path, max_unpacked_bytes=4 * size).frame) == 10
    with pytest.raises(InputFileError, match="bytes of text"):
        read(path, max_unpacked_bytes=4 * size - 1)


def change(path: Path, part: str, old: str, new: str) -> Path:
    """Replace something in a part of the file."""
    with zipfile.ZipFile(path) as package:
        parts: dict[str, bytes | str] = {name: package.read(name).decode() for name in package.namelist()}
    assert old in str(parts[part])
    parts[part] = str(parts[part]).replace(old, new)
    return write_parts(path, parts)


@pytest.mark.parametrize("state", ["hidden", "veryHidden", "visible"])
def test_a_hidden_sheet_and_one_of_another_kind_are_not_searched(tmp_path: Path, state: str) -> None:
    row = '<row r="2"><c r="A2"><v>163</v></c></row>'
    path = change(write(tmp_path / "a.xlsx", row), "xl/workbook.xml", 'sheetId="1"', f'sheetId="1" state="{state}"')
    assert texts(read(path, sheet=" customers ")) == [["163", "", ""]]
    if state == "visible":
        assert read(path).sheet_name == "Customers"
    else:
        with pytest.raises(InputFileError, match=r"Its hidden sheets were not searched: Customers\.") as refused:
            read(path)
        assert "`--sheet Customers`" in str(refused.value.remedy)
    change(path, "xl/_rels/workbook.xml.rels", "/worksheet", "/chartsheet")
    with pytest.raises(InputFileError, match=r"has no sheet “Customers”\. Its sheets: \."):
        read(path, sheet="Customers")


def test_parts_may_be_named_from_the_root_and_there_is_one_workbook(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", '<row r="2"><c r="A2"><v>163</v></c></row>')
    change(path, "xl/_rels/workbook.xml.rels", '"worksheets', '"/xl/worksheets')
    change(path, "_rels/.rels", '"xl/', '"/xl/')
    assert texts(read(path)) == [["163", "", ""]]
    change(path, "_rels/.rels", "officeDocument", "other")
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        read(path)


@pytest.mark.parametrize(("value", "seen"), [("1", "2030-01-05"), ("true", "2030-01-05"), ("0", "2026-01-04")])
def test_the_book_says_where_days_count_from(tmp_path: Path, value: str, seen: str) -> None:
    sheet = read_cell(tmp_path, '<c r="B2" s="5"><v>46026</v></c>', "", f'<workbookPr date1904="{value}"/>')
    assert value_of(sheet, "Name") == seen


def test_damaged_xml_is_refused(tmp_path: Path) -> None:
    for row in ('<row r="x"/>', '<row r="2"><c r="2A"><v>1</v></c></row>', "<row>"):
        with pytest.raises(InputFileError, match="damaged"):
            read(write(tmp_path / "a.xlsx", row, comment=PARSED))


def test_a_sheet_in_an_unusual_style_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    """Its last rows may be missing."""
    rows = '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>CustomerId</x:t></x:is></x:c></x:row>'
    root = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{rows}<x:row r="2"><x:c r="A2"><x:v>163</x:v></x:c></x:row>'
    path = write_raw_xlsx(tmp_path / "a.xlsx", "", root=root)
    with pytest.raises(InputFileError, match="damaged: its XML is not well formed"):
        read(path)
    whole = write_raw_xlsx(tmp_path / "b.xlsx", "", root=f"{root}</x:sheetData></x:worksheet>")
    assert texts(read(whole)) == [["163"]]
