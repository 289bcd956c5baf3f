"""What a number, a date or a text shows under a format; None: it cannot be known for certain, so the row is refused."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.number_display import show_number, show_text
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    codes,
    read,
    text_cell,
    value_of,
    write_cell,
    write_parts,
    write_raw_xlsx,
)

PHONE = 171555010


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        # the whole part is kept if no place stands before the point
        (".00", 12.5, "12.50"), (".##", 5.25, "5.25"), (".0", 100, "100.0"), (".00", 0.5, ".50"), (".00", 0, ".00"),
        # from the first 0 on, every place shows a digit
        ("0#########", PHONE, "0171555010"), ("0### ######", PHONE, "0171 555010"), ("0##", 55, "055"),
        ("(0##) ###-####", PHONE, "(017) 155-5010"), ("0# ## ## ## ##", PHONE, "01 71 55 50 10"), ("00##", 777, "0777"),
        ("#0##", 77, "077"),
        # padded and separated
        ("000,000", 163, "000,163"), ("0,000", 163, "0,163"), ("00,000.00", 163, "00,163.00"),
        ("#,##0", 1234567, "1,234,567"),
        # conditions, and General with something beside it
        ("[<1000]General;#,##0", 163, "163"), ("[<1000]General;#,##0", 1630, "1,630"),
        ("[Red][=50]General;[Blue]000", 50, "50"),
        ("[Red][=50]General;[Blue]000", 5, "005"), ('"No. "General', 163, "No. 163"),
        # dates with a locale
        (r"[$-407]dd\.mm\.yyyy", 46053, "31.01.2026"), ("[$-409]d/m/yyyy;@", 46053, "31/1/2026"),
        ("[$-409]m/d/yyyy", 46027, "1/5/2026"), ("[$-C09]dd/mm/yyyy", 46053, "31/01/2026"),
        # built-in formats of money, as Excel shows them in English
        ("$#,##0.00_);($#,##0.00)", 1234.5, "$1,234.50"), ("#,##0_);(#,##0)", -1, "(1)"),
        # literals between decimals, percent, signs
        ('0.000"."000', 0.5, "0.500.000"), ("0.0%", 0.055, "5.5%"), ("0;(0)", -5, "(5)"), ("0", -5, "-5"),
        ("0.00", -0.0, "0.00"),
        ("00000", 42, "00042"), ("0.##", 163, "163."), ("?0", 5, "5"), (";;;", 5, ""), ('"x"', 5, "x"),
        ("0.0?", 5.0, "5.0"), ("0.#0", 5, "5.00"), ("?,??0", 1700, "1,700"),
        ("mm:ss", 0.5, "00:00"), ("h-mm", 0.5, "12-00"),
    ],
)  # fmt: skip
def test_a_number_shows_as_in_excel(code: str, number: float, shown: str) -> None:
    assert show_number(number, code).text == shown


@pytest.mark.parametrize(
    "code",
    [
        "# ?/?", "0.00E+00", "[$-407]dd/mm/yyyy", "dddd", "mmm yyyy", "h:mm AM/PM", "[h]:mm",
        "[$-F800]dddd, mmmm dd, yyyy", "[$-D000000]0", "local number",
        "0*-", "[<0]0;[>5]0;[<3]0;0", "0;0;0;0;0", "e", "0\x00", "0" * 256, "0." + "0" * 40, "0%%%%%",
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_never_guessed(code: str) -> None:
    assert show_number(12.5, code).text is None


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("0##", 5), ("(.0)", 5), ('"x".00', 5), ("0? ???", 5),
        ("0.?0", 5), (".00#?", 5), ("0.?#", 5), ('0." x "0', 5), ("?,??0", -700), (" General", -7), ("_-0", -7),
        ("mm", 0), ("m", 1), ("ss-mm", 46053), ("hh ss m", 46053),
    ],
)  # fmt: skip
def test_what_programs_show_differently_is_not_known(code: str, number: float) -> None:
    assert show_number(number, code).text is None


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("@", "Mueller"), ("General", "Mueller"), ("0.00", "Mueller"), ('@" GmbH"', "Mueller GmbH"),
        ('"Tel. "@', "Tel. Mueller"),
        ("0;0;0;@", "Mueller"), ("_(@_)", "Mueller"), (";;;", None), ("0;0;0;", None),
        ('General;General;General;"no text"', None),
    ],
)  # fmt: skip
def test_a_text_shows_as_its_section_says(code: str, shown: str | None) -> None:
    assert show_text("Mueller", code) == shown


@pytest.mark.parametrize("code", [";;;", "0;0;0;"])
def test_a_hidden_text_is_an_error(tmp_path: Path, code: str) -> None:
    assert codes(read(write_cell(tmp_path, "Mueller", code))) == ["number-format"]


def test_a_text_with_something_around_it_is_read_as_shown(tmp_path: Path) -> None:
    sheet = read(write_cell(tmp_path, "Mueller", '@" GmbH"'))
    assert value_of(sheet) == "Mueller GmbH"
    assert not sheet.problems


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("-441234567890", "yyyy"), ("-441234567890", "dd/mm/yyyy"), ("1e300", "yyyy-mm-dd"), ("5550001234", "[h]:mm"),
        ("5550001234", "[ss]"),
    ],
)  # fmt: skip
def test_a_number_far_from_any_date_is_a_problem_of_its_cell_alone(tmp_path: Path, number: str, code: str) -> None:
    """calamine ends the process with such a number (a Rust panic) or overflows; the other rows must be readable."""
    styles = f'<numFmts count="1"><numFmt numFmtId="200" formatCode="{code}"/></numFmts><cellXfs><xf numFmtId="0"/>'
    styles += '<xf numFmtId="200"/></cellXfs>'
    bad = f'<row r="2"><c r="A2"><v>163</v></c><c r="B2" s="1"><v>{number}</v></c></row>'
    good = f'<row r="3"><c r="A3"><v>164</v></c>{text_cell("B3", "Ann")}</row>'
    sheet = read(write_raw_xlsx(tmp_path / "far.xlsx", HEADING_ROW + bad + good, styles=styles))
    assert codes(sheet) in (["date"], ["number-format"])
    assert value_of(sheet, "Name", 1) == "Ann"


@pytest.mark.parametrize("code", ["General", "0.00", "yyyy", "[h]:mm"])
@pytest.mark.parametrize("number", ["NaN", "-INF", "1e400"])
def test_a_number_that_is_not_finite_is_an_error_of_its_cell(tmp_path: Path, capfd, number: str, code: str) -> None:
    """calamine takes a NaN for the day 0, and panics at an infinite day with a line on stderr."""
    styles = f'<numFmts count="1"><numFmt numFmtId="200" formatCode="{code}"/></numFmts><cellXfs><xf numFmtId="200"/>'
    row = f'<row r="2"><c r="A2" t="inlineStr"><is><t>163</t></is></c><c r="B2" s="0"><v>{number}</v></c></row>'
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + row, styles=styles + "</cellXfs>"))
    assert (value_of(sheet, "Name"), set(codes(sheet)) - {"error-cell"}) == ("#NUM!", set())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("code", ["0." + "0" * 700, "0" + "%" * 900, "0" + "," * 400, "?" * 1000])
def test_a_monstrous_format_ends_in_a_problem(tmp_path: Path, code: str) -> None:
    try:
        sheet = read(write_cell(tmp_path, 12.5, code))
    except InputFileError:
        return
    assert codes(sheet) in ([], ["number-format"], ["rounded-display"])


def test_a_formula_of_text_without_a_value_was_never_calculated(tmp_path: Path) -> None:
    cell = '<c r="B2" t="str"><f>A2&amp;"x"</f></c>'
    row = f'<row r="2"><c r="A2"><v>163</v></c>{cell}</row>'
    assert codes(read(write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + row))) == ["formula-not-calculated"]
    empty = row.replace("</f>", "</f><v></v>") + f'<row r="3"><c r="A3"><v>164</v></c>{text_cell("B3", "Ann")}</row>'
    assert codes(read(write_raw_xlsx(tmp_path / "b.xlsx", HEADING_ROW + empty))) == []


def test_shapes_and_ruby_of_an_ods_sheet_are_not_part_of_a_cell(tmp_path: Path) -> None:
    def cell(content: str) -> str:
        return f'<table:table-cell office:value-type="string">{content}</table:table-cell>'

    heading = "".join(cell(f"<text:p>{name}</text:p>") for name in ("CustomerId", "Name", "Comments"))
    shape = "<draw:frame><draw:text-box><text:p>CALL HIM FIRST</text:p></draw:text-box></draw:frame>"
    ruby = "<text:ruby-base>田中</text:ruby-base><text:ruby-text>タナカ</text:ruby-text>"
    ruby = f"<text:p><text:ruby>{ruby}</text:ruby></text:p>"
    rows = [
        cell("<text:p>163</text:p>")
        + cell(f"{shape}<text:p>Anna</text:p>")
        + cell(f"<draw:custom-shape>{'<text:p>internal</text:p>'}</draw:custom-shape>")
    ]
    rows.append(cell("<text:p>164</text:p>") + cell(ruby) + cell("<text:p>x</text:p>"))
    content = "".join(f"<table:table-row>{row}</table:table-row>" for row in (heading, *rows))
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{urn}:1.0"'
        for name, urn in (("office", "office"), ("table", "table"), ("text", "text"), ("draw", "drawing"))
    )
    document = (
        f'<office:document-content{spaces}><office:body><office:spreadsheet><table:table table:name="S">{content}'
    )
    document += "</table:table></office:spreadsheet></office:body></office:document-content>"
    parts: dict[str, bytes | str] = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": document,
    }
    sheet = read(write_parts(tmp_path / "shapes.ods", parts, zipfile.ZIP_STORED))
    assert sheet.frame.to_numpy().tolist() == [["163", "Anna", ""], ["164", "田中", "x"]]


# --- against LibreOffice --------------------------------------------------------------------------------------------

PLACES = ("0", "#", "00", "0#", "#0", "0##", "?0", "000", "#,##0", "0,000", "000,000", "#,###", "", "0000000000")
DECIMALS = ("", ".0", ".00", ".##", ".0#", ".0?")
ROUND = ("{}", "{}%", '"x "{}', '{}" y"', "({})", "{};({})", "[Red]{}", "{}_)", "$#;{}", "{}\\-{}", "[<100]{};{}\\!")
DATES = (
    "dd/mm/yyyy", "[$-407]dd/mm/yyyy", "[$-409]d/m/yyyy;@", "yyyy-mm-dd", "d.m.yy", "hh:mm", "h:mm:ss", "mm:ss",
    "yyyy\\/mm", "dd\\.mm\\.yyyy hh:mm",
)  # fmt: skip
NUMBERS = (0, 1, 5, 12.5, 0.5, 0.055, 1.255, 99.995, 163, 1234.5, 1234567.891, 171555010, -5, -0.5, -1234.5)
DAYS = (46053, 46027.25, 61, 45000.999)


@pytest.mark.long
def test_a_few_hundred_formats_show_as_in_libreoffice(tmp_path: Path) -> None:
    """Everything that is not refused shows the same there, except for the differences explained below."""
    if not shutil.which("soffice"):
        pytest.skip("LibreOffice is not installed")
    pairs = [
        (surrounding.format(*[whole + decimal] * surrounding.count("{}")), number)
        for surrounding in ROUND
        for whole in PLACES
        for decimal in DECIMALS
        if whole or decimal
        for number in NUMBERS
    ]
    pairs = pairs[::3] + [(code, day) for code in DATES for day in DAYS]
    seen = show_in_libreoffice(pairs, tmp_path)
    different = []
    known = 0
    for (code, number), there in zip(pairs, seen, strict=True):
        here = show_number(number, code).text
        if here is None or there.strip() == here.strip() or explain(code, number, here, there.strip()):
            known += here is not None
            continue
        different.append((code, number, here, there))
    assert not different, "\n".join(map(str, different))
    assert known > 0.7 * len(pairs)


def explain(code: str, number: float, here: str, there: str) -> str:
    """Return why LibreOffice shows something else though Excel shows the same as we do; empty if that is not known."""
    if without_bare_points(here) == without_bare_points(there):
        return "Excel keeps the point of 0.## for a whole number"
    if number == 1.255 and "%" in code:
        return "1.255 is a little less in binary: LibreOffice rounds that, Excel the 15 digits it shows"
    return ""


def without_bare_points(text: str) -> str:
    return re.sub(r"\.(?!\d)", "", text).strip()


def show_in_libreoffice(pairs: list[tuple[str, float]], folder: Path) -> list[str]:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row, (code, number) in enumerate(pairs, 1):
        sheet.cell(row, 1, number).number_format = code
        sheet.cell(row, 2, "end")
    book.save(folder / "formats.xlsx")
    profile = f"-env:UserInstallation=file://{folder}/profile"
    filter_options = "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,true,true"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        filter_options,
        "--outdir",
        str(folder),
        str(folder / "formats.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    with (folder / "formats.csv").open(encoding="utf-8", newline="") as stream:
        return [row[0] for row in csv.reader(stream)]
