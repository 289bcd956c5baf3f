"""Every exit code, and names that are not UTF-8."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bulkupdate.errors import ExitCode
from tests.cli.conftest import HEADINGS
from tests.conftest import FIRST, finish, write_csv, write_sheet
from tests.spreadsheets.reading.making import write_cell


def test_exit_code_0_every_row_updated_or_unchanged(run_program, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [HEADINGS, [FIRST, "A", ""], [FIRST + 1, "", ""]])
    answer = run_program("run", sheet, "--yes")
    assert (answer.exit_code, answer.told["exit_code"]) == (ExitCode.DONE, 0)
    assert answer.counts == {"updated": 1, "unchanged": 1}
    assert answer.told["next"] is None


def test_exit_code_1_a_dry_run_with_invalid_rows(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [HEADINGS, [FIRST, "A", "no address"]])
    for command in (("check", sheet), ("run", sheet, "--dry-run")):
        assert run_program(*command).exit_code == ExitCode.INCOMPLETE
    assert not sandbox.requests


def test_exit_code_2_wrong_use_and_missing_settings(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 1)
    assert run_program("run", sheet, "--yes", password="").exit_code == ExitCode.USAGE
    assert run_program("run", sheet, "--sideways", json=False).exit_code == ExitCode.USAGE
    assert run_program("show", "20200101-000000-none").exit_code == ExitCode.USAGE
    assert run_program("run", sheet, "--yes", concurrency=0).exit_code == ExitCode.USAGE
    assert run_program("run", sheet, "--yes", "-o", tmp_path / "none" / "r.xlsx").exit_code == ExitCode.USAGE
    assert not sandbox.requests


def test_exit_code_3_the_file_is_refused(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [HEADINGS, [FIRST, "A", "no address"], [FIRST + 1, "B", ""]])
    refused = run_program("run", sheet, "--yes")
    assert (refused.exit_code, refused.told["run"]) == (ExitCode.FILE_REFUSED, None)
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    for name in ("broken.xlsx", "missing.csv"):
        answer = run_program("run", tmp_path / name, "--yes")
        assert answer.exit_code == ExitCode.FILE_REFUSED
        assert answer.told["exit_code"] == ExitCode.FILE_REFUSED
    assert not sandbox.requests


def test_a_bug_that_a_cell_triggers_is_a_refusal_of_its_file(run_program, sandbox, tmp_path):
    write_cell(tmp_path, 0.5, "# ?/?")
    patch = "from bulkupdate.spreadsheets.reading import cell_checks; cell_checks.show_number = lambda *_, **__: 1 / 0"
    for command in (("check", "customers.xlsx"), ("run", "customers.xlsx", "--yes")):
        refused = finish(run_program.fork(*command, patch=patch))
        assert (refused.exit_code, refused.told["problems"][0]["code"]) == (3, "refused-file")
        assert "customers.xlsx cannot be read: the program itself failed while reading it (Zero" in refused.err
        report = re.search(r"Please send (\S+) to your administrator", refused.err)
        assert "show_number" in Path(report[1]).read_text()
    assert not sandbox.requests


def test_a_name_that_only_the_locale_cannot_read_says_so(run_program, tmp_path):
    write_sheet(tmp_path / "müller.csv", 1)
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    run_program.environment = {**run_program.environment, **locale}
    refused = run_program.start("check", "müller.csv")
    assert "the locale of this system" in refused.communicate()[1]
    assert refused.returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [("check", "k\udcff.csv"), ("run", "in.csv", "-o", "k\udcff.xlsx"), ("check", "in.csv", "--sheet", "\udcff")],
)
@pytest.mark.parametrize("json", [True, False])
def test_a_name_that_is_no_utf_8_is_wrong_use(run_program, sandbox, tmp_path, arguments, json):
    write_sheet(tmp_path / "in.csv", 1)
    Path(os.fsencode(tmp_path).decode(), "k\udcff.csv").write_bytes((tmp_path / "in.csv").read_bytes())
    ended = run_program(*arguments, json=json)
    assert ended.exit_code == 2
    assert "not UTF-8" in ended.err
    assert "\\udcff" in ended.err
    assert not json or ended.told["exit_code"] == 2
    assert not sandbox.requests
