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
    "Jürgen Groß", "Müller & Söhne", "José Muñoz", "Zoë Müller", "Straße 5", "Weißenburger Straße", "Größe",
    "Füße", "François Hélène", "Ève Dupont", "père et mère", "Genève", "São Paulo", "João Conceição", "ações",
    "irmãs", "Magalhães", "Núñez", "Muñoz", "Señor", "Español", "García", "Martínez", "José", "López", "Iñaki",
    "Peña", "Göteborg", "Malmö", "Åsa Öberg", "Ærø", "Sørensen", "Bøe", "Jørgen", "Pääkkönen", "Töölö",
    "Sjælland", "Præstø", "Vibæk", "Læsø", "Kværner", "Noël", "Citroën", "België", "Anaïs", "Loïc", "naïve",
    "sœur", "cœur", "Œuvre", "bœuf", "œil", "città", "perché", "però", "Niccolò", "più", "lunedì", "où",
    "voilà", "déjà", "à côté", "CAFÉ", "MÜLLER", "DÉPÔT", "ÎLE", "Île", "Émile", "École", "Ångström",
    "Köln–Bonn", "10 €", "€ 10", "5€", "£20", "20 °C", "N° 5", "nº 5", "1ª", "20 m²", "„Hallo“", "“Hi”",
    "‘Hi’", "it’s", "O’Neil", "D’Angelo", "dell’arte", "l’été", "Rock ’n’ Roll", "’s-Hertogenbosch", "¿Qué?",
    "¡Hola!", "« bon »", "«bon»", "»gut«", "wait…", "A – B", "2010–2012", "Acme®", "Acme™", "© 2024",
    "Anna Müller", "Tomáš", "Šimon", "Žižek", "Côte d’Azur", "crêpe", "fête", "você", "três", "forêt", "Évora",
    "Àngel", "Sèvres", "Thérèse", "Hélène Lefèvre", "siècle", "Gisèle", "Michèle", "Solène", "château", "août",
    "sûr", "dû", "Benoît", "Jérôme", "Chloé", "créée", "Zoé", "Aïcha", "Haïti", "Curaçao", "Besançon",
    "façade", "ça va", "Français", "leçon", "reçu", "Gonçalves", "Açores", "Barça", "Jönköping", "Østergård",
    "Øyvind", "Løkke", "Köbenhavn", "København", "Bjørn", "smørrebrød", "rødgrød", "Århus", "Aarhus",
    "Ängelholm", "Österreich", "Übung", "Überlingen", "Mönchengladbach", "Düsseldorf", "Fußgänger", "Süß",
    "Käse", "Prüfung,Groß;Größe", "Boulangerie “Chez Zoé”", "Ibáñez", "Begoña", "Logroño", "A Coruña",
    "ESPAÑA", "NÚÑEZ", "Ørsted", "Löwenbräu", "Renée", "L’Haÿ", "N°5, 2nd floor", "Crème brûlée", "Ægir",
    "Citroën™", "ÉCOLE", "D’Amélie", "Forlì", "5 ½ m²", "Col·legi", "A·B", "Straße 5§", "50 € – 60 €",
    "Íñigo Äänekoski", "Brekkerøa", "Stineøy", "François Lefèvre", "Zoë O’Neil", "Åsa Sjögren", "Jørgen Kjær",
    "Renée Dû", "Günes", "naïve café", "„Zitat“ hier", "Nº 12", "perché più", "Ñandú",
)  # fmt: skip

FOREIGN = {
    "cp1250": (
        "Łódź", "żółw", "Wiśniewski", "Zażółć gęślą", "Dvořák Řehoř", "Světlá", "Poznań", "Jaś",
        "Ştefan Brătianu", "Kůň", "Żółw", "Wałęsa", "Kościuszko", "Gdańsk", "Święta", "Dvořák", "Jiří",
        "Čapek", "Černý", "Kučera", "Zdeněk", "Růžička", "Kateřina", "Březina", "Havlíčková", "Marković",
        "Kovačević", "Petőfi", "Győr", "Erdős", "Constanţa", "Galaţi", "Brăila", "Iaşi", "Vaněk", "Němec",
        "Łukasz", "być", "żaba", "Mąka", "Březen", "Řezníček", "Ćwik", "ćwiczenie", "Račko", "Ivančić",
        "Plzeň", "Dębski", "Piętka", "Żuk", "Ľubomír", "Kováč",
    ),
    "cp1251": (
        "Иван Петров", "Москва", "Щука", "Иван", "Петров", "улица Ленина", "я", "ООО Ромашка", "Юлия",
    ),
    "cp1253": (
        "Γιώργος Παπαδόπουλος", "Αθήνα", "Γιώργος", "Νίκος",
    ),
    "mac-roman": (
        "Jürgen Groß", "Jäger", "café à", "España – señor", "Jürgen", "Groß", "José", "María", "García",
        "Zoë", "Peña", "Björn", "Köln", "Österreich", "Ärzte", "Émile", "Hôtel", "Zoé", "L’été", "O’Neil",
        "Strauß", "señor", "Müller", "Gruß", "“Hi”", "Jörg", "Grün", "Straße", "naïve", "schön", "Böhm",
    ),
    "cp850": (
        "Jürgen", "Jäger", "café", "señor", "Groß", "José", "García", "Zoë", "Peña", "Björn", "Österreich",
        "Straße", "Weiß", "São", "Jørgen", "Málaga", "Hôtel", "niño", "père", "mäh", "größte", "façade",
    ),
    "cp437": (
        "José", "niño", "Peña", "Zoë",
    ),
    "shift_jis": (
        "田中太郎", "東京", "田中", "山田太郎", "ﾀﾅｶ", "日本", "鈴木一郎",
    ),
    "gb18030": (
        "张伟", "北京", "王", "李",
    ),
    "big5": (
        "王", "張偉", "台北",
    ),
    "cp1254": (
        "Yıldız", "Şahin", "Öğretmen", "Erdoğan", "İstanbul", "Işık", "Doğan", "Ağaoğlu",
    ),
    "cp1257": (
        "Bērziņš", "Petraitienė", "Jānis Kalniņš", "Žukauskas Čepaitis", "Šarūnas Jasikevičius",
    ),
    "iso8859_2": (
        "Łódź", "Wałęsa", "Święta", "Gdańsk", "Tomáš",
    ),
    "koi8_r": (
        "Иван", "Москва",
    ),
    "cp1255": (
        "שלום",
    ),
    "cp1256": (
        "محمد",
    ),
    "cp874": (
        "สวัสดี",
    ),
    "cp866": (
        "Иван",
    ),
    "cp852": (
        "Dvořák",
    ),
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


def test_a_file_that_a_crash_has_filled_with_nuls_is_not_taken_for_utf_16(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="NUL character in line 2"):
        read(write_text(tmp_path, b"CustomerId,Name\n" + bytes(1000)))


def test_a_named_encoding_that_does_not_fit_is_refused_with_the_place(tmp_path: Path) -> None:
    path = write_text(tmp_path, "CustomerId,Name\n163,Łódź\n".encode("cp1250"))
    with pytest.raises(InputFileError, match="is not utf-8: byte 0xA3 in line 2, character 5,"):
        read(path, encoding="utf-8")


@pytest.mark.parametrize("name", ["cp1252", "cp1250", "latin-1", "mac-roman", "cp850", "koi8-r"])
def test_a_file_that_is_utf_8_is_not_read_under_the_name_of_a_code_page(tmp_path: Path, name: str) -> None:
    """A nightly batch may be given an encoding for all files; a UTF-8 file among them would be garbled silently."""
    with pytest.raises(InputFileError, match=f"is UTF-8, not {name}: as {name} it would hold texts such as “"):
        read(write_text(tmp_path, "CustomerId,Name\n163,Zoë\n"), encoding=name)


@pytest.mark.parametrize("name", ["utf-8", "utf8", "gb18030", "cp1252"])
def test_the_name_that_fits_is_taken(tmp_path: Path, name: str) -> None:
    """ASCII is the same in all of them."""
    text = "Ann" if name == "cp1252" else "Zoë"
    path = write_text(tmp_path, f"CustomerId,Name\n163,{text}\n", encoding=name)
    assert texts(read(path, encoding=name)) == [["163", text]]


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_counts_for_more_than_a_name(tmp_path: Path, mark: str) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Name\n163,Zoë\n", encoding=mark), encoding="cp1252")
    assert texts(sheet) == [["163", "Zoë"]]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("shift-jsi", "shift_jis"), ("utf8x", "utf-8"), ("rot13", ""), ("hex", ""), ("", ""), ("unicode_escape", "")],
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


def test_a_row_of_empty_text_formulas_is_a_blank_row(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, 'CustomerId,Name\n163,Ann\n="",=""\n164,"=""Bob"""\n'))
    assert texts(sheet) == [["163", "Ann"], ["164", "Bob"]]
    assert sheet.row_numbers.tolist() == [2, 4]


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
