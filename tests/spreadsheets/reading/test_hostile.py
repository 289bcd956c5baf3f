"""Files that want to harm, or are not what they say: one clear sentence, in bounded time and memory."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    MAIN,
    read,
    text_cell,
    texts,
    write_cell,
    write_parts,
    write_raw_xlsx,
    write_text,
)

GOOD = "CustomerId,Name\n163,Ann\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ROW = f'<row r="2"><c r="A2"><v>163</v></c>{text_cell("B2", "Ann")}</row>'


def refusal(path: Path, **changed: object) -> str:
    with pytest.raises(InputFileError) as caught:
        read(path, **changed)
    said = str(caught.value)
    assert "\n" not in said
    assert str(path.parent) not in said or "no file" in said or "a device" in said
    assert caught.value.remedy
    return said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [  # name, content, what is said
        ("a.csv", b"", "is empty"), ("a.xlsx", b"", "is empty"),
        ("a.csv.exe", GOOD.encode(), "not a supported file type"), ("a", GOOD.encode(), "not a supported file type"),
        ("a.xlsx", GOOD.encode(), "plain text or damaged"),
        ("a.xls", b"<html><table></table></html>", "a web page or XML"),
        ("a.csv", b"\xef\xbb\xbf <!DOCTYPE html><html>", "a web page or XML"),
        ("a.csv", b"PK\x03\x04....", "an Excel or zip file"),
        ("a.xlsx", b"%PDF-1.7", "a PDF"), ("a.csv", b"%PDF-1.7", "a PDF"),
        ("a.xlsx", OLE + bytes(600), "an old Excel file"),
        ("a.xls", OLE + bytes(2000), "damaged"), ("a.xlsx", b"PK\x03\x04" + bytes(50), "damaged"),
        ("a.ods", b"PK\x05\x06" + bytes(18), "plain text or damaged"),
        ("~$a.xlsx", b"\x05user", "is only Excel's lock file for a.xlsx"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "a picture"), ("a.csv", b"\x1f\x8b\x08", "a packed file"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert said in refusal(write_text(tmp_path, content, name=name))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    assert "folder" in refusal(tmp_path / "folder.csv")
    assert "a device or a pipe" in refusal(tmp_path / "pipe.csv")
    assert "There is no file" in refusal(tmp_path / "missing.csv")
    assert "cannot be opened" in refusal(tmp_path / ("x" * 300 + ".csv"))
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    assert "cannot be opened" in refusal(tmp_path / "loop.csv")
    (tmp_path / "unreadable.csv").symlink_to("/proc/self/mem")
    assert "cannot be opened: Input/output error" in refusal(tmp_path / "unreadable.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = write_text(tmp_path, GOOD)
    path.chmod(0)
    assert "cannot be opened" in refusal(path)


def test_a_file_beyond_the_limit_of_bytes_is_refused(tmp_path: Path) -> None:
    assert "more than 10 bytes" in refusal(write_text(tmp_path, GOOD), max_unpacked_bytes=10)


def make_ole(stream: str) -> bytes:
    """An OLE container with one stream of 4096 bytes: its table, its directory, and the stream in 8 sectors."""
    header = OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIIII", 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    table = struct.pack("<128I", 0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE, *[0xFFFFFFFF] * 118)
    entries = b""
    for name, kind, child, start, size in (("Root Entry", 5, 1, 0xFFFFFFFE, 0), (stream, 2, 0xFFFFFFFF, 2, 4096)):
        encoded = name.encode("utf-16-le")
        entries += encoded.ljust(64, b"\0") + struct.pack(
            "<HBBIII", len(encoded) + 2, kind, 1, *[0xFFFFFFFF] * 2, child
        )
        entries += bytes(36) + struct.pack("<III", start, size, 0)
    header += struct.pack("<108I", *[0xFFFFFFFF] * 108)
    return header + table + entries.ljust(512, b"\0") + bytes(4096)


def test_an_encrypted_workbook_is_refused_as_protected(tmp_path: Path) -> None:
    protected = write_text(tmp_path, make_ole("EncryptedPackage"), name="a.xlsx")
    assert "password-protected" in refusal(protected)
    assert "an old Excel file" in refusal(write_text(tmp_path, make_ole("Workbook"), name="b.xlsx"))


def test_an_ole_container_that_points_back_at_itself_is_refused(tmp_path: Path) -> None:
    """xlrd would go round for ever."""
    header = OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIII", 1, 1, 0, 4096, 0xFFFFFFFE) + struct.pack("<III", 0, 0xFFFFFFFE, 0)
    header = header.ljust(76, b"\0") + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, *[1] * 127)
    path = write_text(tmp_path, header + table + bytes(1024), name="a.xls")
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("keep", [30, 200, 1000, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(tmp_path: Path, keep: float) -> None:
    path = write_cell(tmp_path, "Ann")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    refusal(path)


def test_an_excel_file_of_another_kind_is_refused_under_a_wrong_name(tmp_path: Path) -> None:
    path = write_cell(tmp_path, "Ann")
    for ending in ("xlsb", "ods"):
        refusal(path.rename(path.with_suffix(f".{ending}")))
        path = path.with_suffix(f".{ending}")


@pytest.mark.parametrize("name", ["../../evil.xml", "/etc/passwd", "C:\\x", "a\\..\\b"])
def test_parts_with_tricks_in_their_names_are_refused(tmp_path: Path, name: str) -> None:
    path = write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + ROW)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(name, "x")
    assert "packed in a way" in refusal(path)


def test_too_many_parts_and_parts_twice_are_refused(tmp_path: Path) -> None:
    many = write_parts(tmp_path / "a.xlsx", {f"p{number}": "" for number in range(10_001)})
    assert "packed in a way" in refusal(many)
    path = write_raw_xlsx(tmp_path / "b.xlsx", HEADING_ROW + ROW)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("XL/worksheets/sheet1.xml", "x")
    assert "packed in a way" in refusal(path)


def test_a_part_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    """calamine would unpack it to the end, whatever the directory says."""
    path = write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + ROW + "<!--" + " " * 5_000_000 + "-->")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as package:
        size = package.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 1000)))
    assert "packed in a way" in refusal(path)


def test_a_part_marked_as_encrypted_is_refused(tmp_path: Path) -> None:
    path = write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + ROW)
    content = path.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    path.write_bytes(content)
    assert "password-protected" in refusal(path)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"]
)
def test_xml_entities_are_refused_in_every_part(tmp_path: Path, part: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + ROW, shared="<si><t>x</t></si>", styles="<cellXfs/>")
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts[part] = bomb.encode() + parts[part]
    assert "XML entities" in refusal(write_parts(path, parts))


def test_entities_in_an_open_document_are_refused(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "a.ods", {"content.xml": '<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'})
    assert "XML entities" in refusal(path)


def test_external_links_are_left_alone_and_their_stored_values_read(tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2"><f>[1]Sheet1!A1</f><v>163</v></c><c r="B2" t="str"><f>"x"</f><v>x</v></c></row>'
    path = write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + row)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/externalLinks/externalLink1.xml", f'<externalLink xmlns="{MAIN}"/>')
        package.writestr("xl/vbaProject.bin", b"macro")
    assert texts(read(path)) == [["163", "x", ""]]


def swell(path: Path, rows: str, filler: bytes, end: str, mebibytes: int = 500) -> None:
    """A sheet with 500 MiB of a filler, in half a MiB of file."""
    write_raw_xlsx(path, "")
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist() if "sheet1" not in name}
    write_parts(path, parts)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package,
        package.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        part.write(f'<worksheet xmlns="{MAIN}"><sheetData>{rows}'.encode())
        for _ in range(mebibytes):
            part.write(filler * ((1 << 20) // len(filler)))
        part.write(f"{end}</sheetData></worksheet>".encode())


def bomb_of_blanks(path: Path) -> None:
    """500 MiB of blanks within the sheet."""
    swell(path, HEADING_ROW + ROW, b" ", "")


def bomb_of_one_text(path: Path) -> None:
    """A cell with 500 MiB of text."""
    swell(
        path,
        HEADING_ROW + '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>',
        b"x",
        "</t></is></c></row>",
    )


def bomb_of_less_dense_rows(path: Path) -> None:
    """Rows that are not packed densely enough to be recognised by that alone."""
    filler = b"".join(b'<row r="9" ht="%d"/>' % (number * 2654435761 % 10**9) for number in range(2000))
    swell(path, HEADING_ROW + ROW, filler, "", 150)


def bomb_of_shared_text(path: Path) -> None:
    """A text of 32,000 characters that 100,000 cells point to: 3 GB from 60 KB, without any large part."""
    cells = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="s"><v>0</v></c></row>' for n in range(2, 100_000)
    )
    write_raw_xlsx(path, HEADING_ROW + cells, shared=f"<si><t>{'x' * 32_000}</t></si>")


def bomb_of_rows(path: Path) -> None:
    """A million rows of formatted blanks and ten of content: not a bomb, just formatting."""
    blanks = "".join(
        f'<row r="{n}"><c r="A{n}" s="1"/><c r="B{n}" s="1"/><c r="C{n}" s="1"/></row>' for n in range(3, 1_048_577)
    )
    write_raw_xlsx(path, HEADING_ROW + ROW + blanks, styles='<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>')


def bomb_of_merges(path: Path) -> None:
    merges = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    write_raw_xlsx(path, HEADING_ROW + ROW, after=merges)


def bomb_of_repeats(path: Path) -> None:
    """An open document of one row that repeats a million times, each of 16,000 cells."""
    namespaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    heading = "".join(
        f"<table:table-cell><text:p>{name}</text:p></table:table-cell>" for name in ("CustomerId", "Name")
    )
    rows = (
        f"<table:table-row>{heading}</table:table-row><table:table-row table:number-rows-repeated='1000000'>"
        "<table:table-cell table:number-columns-repeated='16000'><text:p>x</text:p></table:table-cell>"
        "</table:table-row>"
    )
    write_parts(
        path,
        {
            "content.xml": f"<office:document-content{namespaces}>"
            f"<table:table table:name='a'>{rows}</table:table></office:document-content>"
        },
    )


MEASURE = """
import sys, time
from pathlib import Path
from bulkupdate.errors import InputFileError
from tests.spreadsheets.reading.making import read
start = time.monotonic()
try:
    outcome = str(read(Path(sys.argv[1])).frame.shape)
except InputFileError as error:
    outcome = f"refused: {error}"
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, round(time.monotonic() - start), outcome)
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "ending", "said"),
    [
        (bomb_of_blanks, "xlsx", "refused"), (bomb_of_one_text, "xlsx", "refused"),
        (bomb_of_less_dense_rows, "xlsx", ""), (bomb_of_shared_text, "xlsx", "refused"),
        (bomb_of_rows, "xlsx", "(1, 3)"), (bomb_of_merges, "xlsx", "(1, 3)"), (bomb_of_repeats, "ods", "refused"),
    ],
)  # fmt: skip
def test_a_bomb_ends_in_bounded_time_and_memory(tmp_path: Path, make: object, ending: str, said: str) -> None:
    """Peak memory under 400 MiB, pandas and pyarrow included, and a few seconds."""
    path = tmp_path / f"bomb.{ending}"
    make(path)  # type: ignore[operator]
    run = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    mebibytes, seconds, outcome = run.stdout.strip().split(" ", 2)
    assert said in outcome
    assert int(mebibytes) < 400
    assert int(seconds) < 30
