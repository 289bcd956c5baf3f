"""What is shown, and what `--quiet` leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bulkupdate.cli.console import print_json
from tests.cli.terminal import Terminal
from tests.conftest import FIRST, Finished, find_puts, write_csv, write_sheet


def test_quiet_says_nothing_but_errors(run_program, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 1)
    assert run_program("run", sheet, "--yes", "--quiet", json=False).err == ""
    assert "refuses the login" in run_program("run", sheet, "--yes", "--quiet", json=False, password="wrong").err


def run_in_code_page(run_program, encoding, *arguments):
    """Run the program with streams of this code page, as Windows gives a pipe cp1252; its JSON is still UTF-8."""
    run_program.environment["PYTHONIOENCODING"] = encoding
    process = run_program.fork(*arguments, json=False)
    code = process.wait()
    return Finished(code, process.out.read_text("utf-8"), process.err.read_text(encoding, "replace"))


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "iso-8859-1"])
def test_json_is_utf_8_whatever_the_code_page(run_program, sandbox, tmp_path, encoding):
    sheet = write_csv(tmp_path / "клиенты.csv", [["CustomerId", "Rating"], [FIRST, "Neutral"], [FIRST + 1, "漢字"]])
    sent = run_in_code_page(run_program, encoding, "run", sheet, "--yes", "--skip-invalid", "--json")
    assert (sent.exit_code, sent.counts) == (1, {"updated": 1, "invalid": 1}), sent.err
    assert "漢字" in sent.told["problems"][0]["message"]
    assert sent.told["file"].endswith("клиенты.csv")
    assert len(find_puts(sandbox)) == 1


def test_a_file_name_beyond_the_code_page_does_not_hide_the_error(run_program):
    refused = run_in_code_page(run_program, "cp1252", "run", "клиенты.csv", "--yes", "--json")
    assert (refused.exit_code, refused.told["file"]) == (3, "клиенты.csv")
    assert "Traceback" not in refused.err


def test_a_night_goes_on_to_the_next_file_whatever_their_names(run_program, tmp_path):
    inbox = tmp_path / "folder" / "inbox"
    inbox.mkdir(parents=True)
    for name in ("клиенты", "漢字"):
        write_sheet(inbox / f"{name}.csv", 1)
    night = run_in_code_page(run_program, "cp1252", "nightly", tmp_path / "folder", "--settle", 0, "--json")
    assert night.exit_code == 0, night.err
    lines = [json.loads(line) for line in night.out.splitlines()]
    names = [Path(each["file"]).stem for each in lines if each.get("file")]
    assert {name.rpartition("-")[2] for name in names} == {"клиенты", "漢字"}


def test_a_list_that_the_code_page_cannot_show_is_shown_with_escapes(run_program, tmp_path):
    run_program("run", write_sheet(tmp_path / "клиенты.csv", 1), "--yes")
    for command in ("runs", "show"):
        listed = run_in_code_page(run_program, "cp1252", command)
        assert (listed.exit_code, "\\u043a" in listed.out) == (0, True), listed.err


def test_half_a_surrogate_pair_is_escaped_as_json_has_it(capfdbinary):
    print_json({"file": "k\udcff.csv"})
    assert json.loads(capfdbinary.readouterr().out) == {"file": "k\udcff.csv"}


@pytest.mark.parametrize(
    ("environment", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_an_error_is_red_on_a_terminal_that_shows_colours(run_program, environment, is_coloured):
    run_program.environment = {**run_program.environment, "TERM": "xterm", "NO_COLOR": "", **environment}
    terminal = Terminal(run_program, "check", "missing.csv")
    assert terminal.finish() == 3
    assert ("\x1b[31m" in terminal.shown) is is_coloured
    assert "\x1b" not in run_program("check", "missing.csv").err


def test_the_end_of_a_run_is_green_and_a_warning_yellow_on_a_terminal(run_program, tmp_path):
    run_program.environment = {**run_program.environment, "TERM": "xterm", "NO_COLOR": ""}
    sheet = write_sheet(tmp_path / "in.csv", 1)
    for expected in ("\x1b[32mDone\x1b[0m: 1 row", "\x1b[33mWarning:\x1b[0m A file with this content"):
        terminal = Terminal(run_program, "run", sheet, "--yes")
        assert terminal.finish() == 0
        assert expected in terminal.shown
