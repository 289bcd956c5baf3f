"""Suggested commands can be pasted into a shell, whatever the file is called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bulkupdate.text import quote_argument

NAMES = (
    "customers.xlsx", "a b.csv", "a';touch PWN;'.csv", "O'Neil.xlsx", "$(touch PWN).csv", "`touch PWN`.csv", "-rf.csv",
    "--yes", 'say "hi".csv', "back\\slash.csv", "100%.csv", "%PATH%.csv", "bang!!.csv", "~root.csv", "#1.csv",
    "a&touch PWN&b.csv", "x|y>z.csv", "two\nlines.csv", "\x1b[31mred.csv", "Müller ’s “best”.csv", "*.csv", "{a,b}.csv",
    "a=b;c.csv", "a,b.csv", "", "=x",
)  # fmt: skip
SHELLS = [each for each in ("bash", "zsh", "sh", "dash") if shutil.which(each)]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_name_comes_out_of_the_shell_as_it_was(shell: str, tmp_path: Path) -> None:
    names = [each for each in NAMES if shell in ("bash", "zsh") or each.isprintable()]
    command = "printf '%s\\0' " + " ".join(
        quote_argument(Path(each) if each[:1] == "-" else each, is_windows=False) for each in names
    )
    done = subprocess.run([shell, "-c", command], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == [f"./{each}" if each[:1] == "-" else each for each in names]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("C:\\Users\\anna\\customers.xlsx", "C:\\Users\\anna\\customers.xlsx"),
        ("C:\\my files\\O'Neil & sons.xlsx", '"C:\\my files\\O\'Neil & sons.xlsx"'),
        ("C:\\100%\\O'Neil’s!.xlsx", '"C:\\100%\\O\'Neil’s!.xlsx"'),
        ("C:\\%PATH%\\O'Neil’s.xlsx", "'C:\\%PATH%\\O''Neil’’s.xlsx'"),
        ("5^6! %.csv", '"5^6! %.csv"'),
        ("a';calc;'.csv", "\"a';calc;'.csv\""),
        ("$(calc).csv", "'$(calc).csv'"),
        ("\\\\server\\my share\\a.csv", '"\\\\server\\my share\\a.csv"'),
    ],
)
def test_windows_names_are_quoted_for_powershell_and_where_possible_for_cmd_too(name: str, quoted: str) -> None:
    assert quote_argument(name, is_windows=True) == quoted


@pytest.mark.parametrize("name", NAMES)
def test_double_quotes_hold_nothing_that_any_of_the_shells_acts_on(name: str) -> None:
    quoted = quote_argument(name, is_windows=False)
    if quoted.startswith('"'):
        assert not set(quoted[1:-1]) & set('"$`\\!%“”„\n')
