"""Zip containers at the borders of what is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import safe_zip
from bulkupdate.spreadsheets.reading.safe_zip import Package
from tests.spreadsheets.reading.making import HEADING_ROW, options, read, texts, write_parts, write_raw_xlsx

ROW = '<row r="2"><c r="A2"><v>163</v></c></row>'


def test_the_limit_of_bytes_may_be_reached_and_not_exceeded(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "a.zip", {"a": b"x" * 600, "b": b"y" * 400})
    Package(path, options(max_unpacked_bytes=1000)).close()
    with pytest.raises(InputFileError, match="unpacks to more than 999 bytes"):
        Package(path, options(max_unpacked_bytes=999))


def test_a_file_that_is_gone_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Package(tmp_path / "gone.xlsx", options())


def test_ten_thousand_parts_are_read_and_no_more(tmp_path: Path) -> None:
    for count in (10_000, 10_001):
        path = tmp_path / f"{count}.zip"
        with zipfile.ZipFile(path, "w") as package:
            for number in range(count):
                package.writestr(zipfile.ZipInfo(f"p{number}"), b"")
        if count == 10_000:
            Package(path, options()).close()
        else:
            with pytest.raises(InputFileError, match="packed in a way that no spreadsheet program uses"):
                Package(path, options())


def test_a_large_part_may_be_packed_densely_and_no_more_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parts(tmp_path / "a.zip", {"a": b"x" * 100_000})
    with zipfile.ZipFile(path) as package:
        ratio = 100_000 // package.getinfo("a").compress_size
    for largest, most, is_read in ((100_000, 1, True), (99_999, ratio + 1, True), (99_999, ratio - 1, False)):
        monkeypatch.setattr(safe_zip, "SUSPECT_BYTES", largest)
        monkeypatch.setattr(safe_zip, "SUSPECT_RATIO", most)
        if is_read:
            Package(path, options()).close()
        else:
            with pytest.raises(InputFileError, match="a zip bomb"):
                Package(path, options())


def test_names_of_parts_are_found_in_any_case_and_with_backslashes(tmp_path: Path) -> None:
    package = Package(write_parts(tmp_path / "a.zip", {"XL\\Sheet1.xml": "<a/>", "a..b/c:d": ""}), options())
    assert "xl/sheet1.XML" in package
    assert "xl/sheet2.xml" not in package
    assert b"".join(package.blocks("xl\\sheet1.xml")) == b"<a/>"
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        next(package.blocks("missing"))
    package.close()
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        next(package.blocks("xl/sheet1.xml"))


@pytest.mark.parametrize("shorter", [1, 500])
def test_a_part_shorter_than_it_says_is_refused(tmp_path: Path, shorter: int) -> None:
    path = write_parts(tmp_path / "a.zip", {"a": b"x" * 1000}, zipfile.ZIP_STORED)
    package = Package(path, options())
    package._parts["a"].file_size += shorter
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        list(package.blocks("a"))


def test_a_part_of_xml_is_parsed_up_to_eight_mebibytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parts(tmp_path / "a.zip", {"a": "<a>" + " " * 93 + "</a>", "b": "<a>", "c": " " * 50 + "x"})
    package = Package(path, options())
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", 60)
    monkeypatch.setattr(safe_zip, "LARGEST_PARSED_BYTES", 100)
    assert package.parse_xml("a").tag == "a"
    monkeypatch.setattr(safe_zip, "LARGEST_PARSED_BYTES", 99)
    with pytest.raises(InputFileError, match="packed in a way"):
        package.parse_xml("a")
    for part in ("b", "c"):
        with pytest.raises(InputFileError, match="is damaged or cut off"):
            package.parse_xml(part)


def test_entities_are_refused_in_the_first_block_only_where_they_can_be_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + ROW, after="<!--" + "-" * 900 + "&lt;!DOCTYPE")
    package = Package(path, options())
    assert b"".join(package.xml_blocks("xl/worksheets/sheet1.xml")).endswith(b"</worksheet>")
    late = write_parts(tmp_path / "b.zip", {"a": "<a>" + " " * 90 + "<!DOCTYPE"})
    with pytest.raises(InputFileError, match="declares XML entities"):
        list(Package(late, options()).xml_blocks("a"))
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", 50)
    assert len(list(Package(late, options()).xml_blocks("a"))) == 3
    assert texts(read(write_raw_xlsx(tmp_path / "c.xlsx", HEADING_ROW + ROW)))[0][0] == "163"
