"""The names of uploaded files."""

from __future__ import annotations

import re

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.web.uploads.filenames import MAX_NAME_LENGTH, clean_name, require_sheet_name
from tests.web.served import Server, Visitor, make_csv, path_of


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a.csv", "a.csv"), ("../../etc/passwd", "passwd"), ("C:\\x\\y.csv", "y.csv"), ("a\r\nb\x00.csv", "ab.csv"),
        ("\u202egnp.csv", "gnp.csv"), ("", "sheet"), ("/", "sheet"), ("Müller & Söhne.xlsx", "Müller & Söhne.xlsx"),
    ],
)  # fmt: skip
def test_a_name_is_shown_without_folders_and_unseen_marks(given: str, shown: str) -> None:
    assert clean_name(given) == shown


def test_a_long_name_keeps_its_ending() -> None:
    assert len(clean_name("x" * 500 + ".xlsx")) == MAX_NAME_LENGTH
    assert clean_name("x" * 500 + ".xlsx").endswith("….xlsx")


def test_two_endings_are_refused() -> None:
    with pytest.raises(InputFileError, match=r"two endings, .exe and .csv"):
        require_sheet_name("a.exe.csv")
    assert require_sheet_name("customers.2026.XLSX") == ".xlsx"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("../../x.csv", 200),
        ("C:\\temp\\x.csv", 200),
        ("\u202evsc.csv", 200),
        ("<script>alert(1)<script>.csv", 200),
        ("a" * 300 + ".csv", 200),
        ('x";filename="y.csv', 200),
        (".htaccess", 400),
        ("x.csv\x00.exe", 400),
        ("x.exe", 400),
        ("x.html", 400),
        ("x.xlsm", 400),
        ("x.exe.csv", 400),
        ("", 400),
    ],
)
def test_file_names(server: Server, anna: Visitor, name: str, status: int) -> None:
    """Stored under a name of our own, shown escaped, harmless in the header of a download; or refused by list."""
    answer = anna.upload(name, make_csv(1))
    assert answer.status_code == status, answer.text
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text
    if status == 200:
        header = anna.get(path_of(answer) + "/report.xlsx").headers["Content-Disposition"]
        assert header.startswith("attachment; filename=")
        assert not re.search(r"[\r\n<>/\\\x00]", header.partition("filename*")[0])
    for path in server.state_dir.rglob("*"):
        assert re.fullmatch(r"[\w.\-]+", path.name), path
