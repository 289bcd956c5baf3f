"""Random customer sheets: the same table as CSV in several dialects and as a workbook, and files with damage."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bulkupdate.customers.fields import CUSTOMER_ID, UPDATABLE
from tests.spreadsheets.reading.making import text_cell, write_raw_xlsx

IDS = (
    "163", "163.0", "00163", " 164 ", "165\u200b", "1_000", "١٦٣", "²", "+5", "-5", "0", "1e3", "1.5", "1,000", "",
    "abc", "999999999999999999", "9999999999999999999", "0x10", "１６３", "163.00", "NaN", "#N/A", "<clear>", "16 3",
    "163;", "164",
)  # fmt: skip
CELLS = (
    "", "", "", " ", "0", "0.00", "False", "TRUE", "007", "NA", "null", "None", "nan", "<clear>", "<CLEAR>",
    "a <clear>", "#N/A", "#REF!", "=1+1", "+49 30 123", "-1", "@here", "1e5", "1,5", "1.250,00", "12.50", "100%",
    "$5", "5 EUR", "ja", "nein", "1.0", "Very dissatisfied", "Satisfied", "3", "-3", "6", "a;b|c", ";;",
    "a@example.com", "a@b", "x@example.com; y@example.com", "Müller & Sons", "Łódź", "東京", "😀", "a\nb",
    "tab\tinside",
    'quo"te', "O'Neil", "semi;colon", "comma,inside", "zero\u200bwidth", "nbsp\u00a0inside", "\u202etxet", "ﬁ", "é",
    "e\u0301", "_x0041_", "<r>gone</r>", "&amp;", "2026-01-31", "31/01/2026", "  padded  ", "0171 5550100", "0049",
    "5.55E+09", "… [shortened: 40,000 characters]", "\ufffd", "x" * 300,
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of texts: a row of headings and rows as long as it, with `blank_rows` blank ones above the headings."""

    rows: Sequence[Sequence[str]]
    blank_rows: int


def make_table(rng: random.Random) -> Table:
    """Return a random table of a few fields and rows; about half of its ids are good ones."""
    fields = rng.sample(UPDATABLE, rng.randint(1, 8))
    headings = [rng.choice((field.name, *field.aliases, field.name.lower())) for field in (CUSTOMER_ID, *fields)]
    rows = [
        [rng.choice(IDS) if rng.random() < 0.5 else str(rng.randint(1, 10**7)), *(rng.choice(CELLS) for _ in fields)]
        for _ in range(rng.randint(1, 15))
    ]
    return Table([headings, *rows], rng.randint(0, 2))


def write_csv(rng: random.Random, table: Table, path: Path) -> None:
    """Write the table as CSV, with a random delimiter, encoding and line end."""
    delimiter = rng.choice(",;\t|")
    out = io.StringIO()
    quoting = rng.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    writer = csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(("\n", "\r\n")), quoting=quoting)
    out.write(writer.dialect.lineterminator * table.blank_rows)
    writer.writerows(table.rows)
    path.write_bytes(out.getvalue().encode(rng.choice(("utf-8", "utf-8-sig", "utf-16"))))


def write_workbook(table: Table, path: Path) -> None:
    """Write the table as a workbook of text cells."""
    rows = []
    for number, row in enumerate(table.rows, table.blank_rows + 1):
        cells = "".join(
            f'<c r="{_letter(column)}{number}" t="inlineStr"><is><t xml:space="preserve">{_escape(text)}</t></is></c>'
            for column, text in enumerate(row)
            if text
        )
        rows.append(f'<row r="{number}">{cells}</row>')
    write_raw_xlsx(path, "".join(rows))


FORMATS = (
    "General", "0", "0.00", ".00", "0#########", "000,000", "#,##0.00", "0%", "0.00E+00", "# ?/?", ";;;", "0;0;0;",
    "dd/mm/yyyy", "[h]:mm", "[$-407]dd/mm/yyyy", "yyyy", '"Tel. "@', "[<1000]General;#,##0",
    "[Red][=50]General;[Blue]000", "(000) 000-0000", "$#,##0", '0.0,"K"',
)  # fmt: skip
NUMBERS = (
    "0",
    "1.255",
    "12.5",
    "163",
    "171555010",
    "1234567890123460000",
    "-441234567890",
    "1e9",
    "0.1",
    "-5",
    "46053",
    "1e-7",
)


def write_typed_workbook(rng: random.Random, path: Path) -> None:
    """Write a workbook of numbers under random formats, formulas without values and error cells."""
    fields = rng.sample(UPDATABLE, 4)
    formats = "".join(f'<numFmt numFmtId="{200 + i}" formatCode="{escape(code)}"/>' for i, code in enumerate(FORMATS))
    styles = (
        f'<numFmts count="{len(FORMATS)}">{formats}</numFmts><cellXfs>'
        + "".join(f'<xf numFmtId="{200 + i}"/>' for i in range(len(FORMATS)))
        + "</cellXfs>"
    )
    heading = "".join(text_cell(f"{_letter(i)}1", field.name) for i, field in enumerate((CUSTOMER_ID, *fields)))
    rows = [f'<row r="1">{heading}</row>']
    for number in range(2, rng.randint(3, 10)):
        cells = "".join(_typed_cell(rng, f"{_letter(column)}{number}") for column in range(1, 5))
        rows.append(f'<row r="{number}"><c r="A{number}"><v>{160 + number}</v></c>{cells}</row>')
    write_raw_xlsx(path, "".join(rows), styles=styles)


def _typed_cell(rng: random.Random, place: str) -> str:
    style = rng.randrange(len(FORMATS))
    number = f'<c r="{place}" s="{style}"><v>{rng.choice(NUMBERS)}</v></c>'
    return rng.choice((
        "", number, number,
        f'<c r="{place}" t="e"><v>#N/A</v></c>', f'<c r="{place}"><f>1+1</f></c>',
        f'<c r="{place}" t="str"><f>A1</f></c>',
        f'<c r="{place}" t="inlineStr" s="{style}"><is><t>{_escape(rng.choice(CELLS))}</t></is></c>',
    ))  # fmt: skip


def damage(rng: random.Random, path: Path) -> None:
    """Change a few bytes of a file, cut it, or change the text of one part of a workbook."""
    if path.suffix == ".xlsx" and rng.random() < 0.7:
        _damage_part(rng, path)
        return
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 6)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path.write_bytes(content[: rng.randint(1, len(content))] if rng.random() < 0.2 else content)


_SWAPS = (
    ('t="inlineStr"', 't="n"'), ('t="inlineStr"', 't="s"'), ('t="inlineStr"', 't="e"'), ('t="inlineStr"', 't="b"'),
    ('t="inlineStr"', 't="d"'), ('t="inlineStr"', 't="str"'), ("<is><t", "<f>1+1</f><is><t"), ('r="A2"', 'r="ZZZ2"'),
    ('r="B3"', 'r="A3"'), ('<row r="3"', '<row r="2"'), ('<row r="2"', '<row r="2" hidden="1"'),
    ("</row>", "</row><row/>"), ('<row r="4"', '<row r="1048577"'), ("<is>", "<is><r><t>rich</t></r>"),
    ("</t>", "&#0;</t>"), ("<v>", "<v>1e999"),
    ("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A2:B3"/></mergeCells>'),
    ("<sheetData>", "<sheetData><!-- x -->"),
)  # fmt: skip


def _damage_part(rng: random.Random, path: Path) -> None:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = "xl/worksheets/sheet1.xml" if rng.random() < 0.8 else rng.choice(list(parts))
    text = parts[name].decode()
    for old, new in rng.sample(_SWAPS, rng.randint(1, 3)):
        text = text.replace(old, new, rng.choice((1, -1)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for part, content in parts.items():
            package.writestr(part, text.encode() if part == name else content)


def _letter(column: int) -> str:
    return chr(ord("A") + column)


def _escape(text: str) -> str:
    """Return the text as XML; `_x0041_` is escaped as Excel does it."""
    return escape(text.replace("_x", "_x005F_x"), quote=False)
