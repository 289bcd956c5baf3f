"""The encoding of a text file: known for certain, guessed with a warning, named by the user, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.customers.models import Severity
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.spreadsheets.reading.text_encoding import require_encoding
from bulkupdate.spreadsheets.reading.western_text import find_implausible
from tests.spreadsheets.reading.making import read, texts, write_text

WESTERN = (
    "Jürgen Groß", "Müller & Söhne", "José Muñoz", "François Lefèvre", "Zoë O’Neil", "Åsa Sjögren", "Jørgen Kjær",
    "Renée Dû",
    "João Conceição", "Güneş".replace("ş", "s"), "N°5, 2nd floor", "Peña", "Crème brûlée", "Ægir", "Œuvre",
    "naïve café", "„Zitat“ hier",
    "¿Qué?", "Nº 12", "50 € – 60 €", "Citroën™", "L’Haÿ", "MÜLLER", "ÉCOLE", "D’Amélie", "Forlì", "perché più",
    "5 ½ m²", "Ñandú", "A·B", "Straße 5§",
)  # fmt: skip

FOREIGN = {
    "cp1250": ("Łódź", "żółw", "Wiśniewski", "Zażółć gęślą", "Dvořák Řehoř", "Světlá", "Poznań", "Jaś",
        "Ştefan Brătianu", "Kůň"),
    "cp1251": ("Иван Петров", "Москва", "Щука"),
    "cp1253": ("Γιώργος Παπαδόπουλος", "Αθήνα"),
    "cp1254": ("Yıldız", "Şahin", "Öğretmen"),
    "mac-roman": ("Jürgen Groß", "Jäger", "café à", "Espa\u00f1a – señor"),
    "cp850": ("Jürgen", "Jäger", "café", "señor"),
    "shift_jis": ("田中太郎", "東京"),
    "gb18030": ("张伟", "北京"),
    "cp1255": ("שלום",), "cp1256": ("محمد",),
}  # fmt: skip


@pytest.mark.parametrize("text", WESTERN)
def test_western_european_text_is_plausible(text: str) -> None:
    assert find_implausible(text.encode("cp1252").decode("cp1252")) == ""


@pytest.mark.parametrize(
    ("codec", "text"), [(codec, text) for codec, all_texts in FOREIGN.items() for text in all_texts]
)
def test_text_of_another_code_page_is_never_taken_for_windows_1252(tmp_path: Path, codec: str, text: str) -> None:
    """It is refused with the option that settles it; named, it is read as it was written."""
    path = write_text(tmp_path, f"CustomerId,Name\n163,{text}\n", encoding=codec)
    with pytest.raises(InputFileError) as refused:
        read(path)
    assert "--encoding" in str(refused.value.remedy)
    assert texts(read(path, encoding=codec)) == [["163", text]]


def test_windows_1252_is_read_with_a_warning_that_shows_the_first_three_texts(tmp_path: Path) -> None:
    lines = "".join(f"{160 + row},{name},x\n" for row, name in enumerate(WESTERN[:5], 1))
    sheet = read(write_text(tmp_path, f"CustomerId,Name,Comments\n{lines}", encoding="cp1252"))
    (warning,) = sheet.problems
    assert (warning.severity, warning.code) == (Severity.WARNING, "guessed-encoding")
    assert "“Jürgen Groß”, “Müller & Söhne”, “José Muñoz”" in warning.message
    assert texts(sheet)[0][1] == "Jürgen Groß"


def test_ascii_and_utf_8_need_no_warning(tmp_path: Path) -> None:
    for text, encoding in (("Ann", "ascii"), ("Łódź 東京", "utf-8"), ("Łódź", "utf-8-sig"), ("Łódź 東京", "utf-16")):
        assert not read(write_text(tmp_path, f"CustomerId,Name\n163,{text}\n", encoding=encoding)).problems


@pytest.mark.parametrize("good", ["Jürgen Groß", "Zoë", "東京"])
def test_a_file_that_is_utf_8_but_for_a_byte_is_refused_with_its_place(tmp_path: Path, good: str) -> None:
    content = f"CustomerId,Name\n163,{good}\n164,caf".encode() + b"\xe9\n"
    with pytest.raises(InputFileError, match=r"byte 0xE9 in line 3, character 8,"):
        read(write_text(tmp_path, content))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_nul_characters_are_refused_with_their_line(tmp_path: Path, encoding: str) -> None:
    content = "CustomerId,Name\n163,Zoë\n164,A\x00nn\n".encode(encoding)
    with pytest.raises(InputFileError, match="NUL character in line 3"):
        read(write_text(tmp_path, content))


def test_a_named_encoding_that_does_not_fit_is_refused_with_the_place(tmp_path: Path) -> None:
    path = write_text(tmp_path, "CustomerId,Name\n163,Łódź\n".encode("cp1250"))
    with pytest.raises(InputFileError, match="is not utf-8: byte 0xA3 in line 2, character 5,"):
        read(path, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "hint"), [("shift-jsi", "shift_jis"), ("utf8x", "utf-8"), ("rot13", ""), ("hex", ""), ("", "")]
)
def test_a_name_that_is_not_a_text_encoding_is_wrong_use(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="is not a text encoding") as refused:
        require_encoding(name)
    assert hint in str(refused.value)


def test_a_workbook_says_that_an_encoding_is_not_for_it(write_customers: Path) -> None:
    assert (
        "An encoding applies to text files only; a workbook names its own."
        in read(write_customers, encoding="cp1250").notes
    )


# --- other traps of text files ----------------------------------------------------------------------------------------


def test_a_text_written_as_a_formula_is_read_as_its_text(tmp_path: Path) -> None:
    """`="0171"` keeps zeros when Excel opens a CSV; our own CSV files put an apostrophe before such a text."""
    rows = [
        '163,"=""0171555010""",="00123"', '164,"\'=""kept""",x', '165,"=1+1","=""a""""b"""', '166,"=""\'=1""",=""',
    ]  # fmt: skip
    sheet = read(write_text(tmp_path, '="CustomerId",Phone1,SourceId\n' + "\n".join(rows) + "\n"))
    assert texts(sheet) == [
        ["163", "0171555010", "00123"], ["164", '="kept"', "x"], ["165", "=1+1", '="a""b"'], ["166", "'=1", ""],
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["sep=\t", '"sep=\t"', "SEP=\t"])
def test_a_line_that_names_the_tab_as_separator_is_not_a_row(tmp_path: Path, line: str) -> None:
    sheet = read(write_text(tmp_path, f"{line}\r\nCustomerId\tName\r\n163\tAnn\r\n"))
    assert texts(sheet) == [["163", "Ann"]]
    assert sheet.row_numbers.tolist() == [2]


@pytest.fixture
def write_customers(tmp_path: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["CustomerId", "Name"], ["163", "Ann"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "customers.xlsx")
    return tmp_path / "customers.xlsx"
