"""`help`, and what every command's help has."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from bulkupdate.cli.main import SHORT_HELPS, cli
from bulkupdate.settings import SETTINGS, environment_name


def test_help_settings_lists_every_setting(run_program):
    shown = run_program("help", "settings", json=False)
    assert shown.exit_code == 0
    assert [each.name for each in SETTINGS if environment_name(each.name) not in shown.out] == []
    assert "Requests in flight at the same time.  [default: 8]" in shown.out


def test_help_shows_a_command_and_all_commands(run_program):
    assert run_program("help", "run", json=False).out == run_program("run", "--help", json=False).out
    listed = run_program("help", json=False).out
    assert all(name in listed for name in SHORT_HELPS)
    assert "Every day:" in listed
    assert run_program("help", "nonsense", json=False).exit_code == 2


@pytest.mark.parametrize("name", SHORT_HELPS)
def test_the_examples_of_a_command_are_accepted_and_its_values_have_names(name):
    group = click.Context(cli, info_name="bulkupdate")
    command = cli.get_command(group, name)
    assert command.examples
    for arguments in command.examples:
        command.make_context(name, shlex.split(arguments), parent=group)
    shown = command.get_help(click.Context(command, info_name=name, parent=group, max_content_width=80))
    assert not re.search(r"\b(TEXT|INTEGER|FLOAT|RANGE|PATH|DIRECTORY)\b", shown)
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_options_are_shown_in_groups(run_program):
    shown = run_program("run", "--help", json=False).out
    headings = re.findall(r"^(\w.*):$", shown, re.MULTILINE)
    assert headings == ["Examples", "Sending", "Guards", "Reading the sheet", "Finding customers", "Output", "General"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chekc", "in.csv"), "There is no command chekc. Did you mean check?"),
        (("help", "rnu"), "There is no command rnu. Did you mean run?"),
        (("purge",), "Missing option '--older-than'.\n       For example: bulkupdate purge --older-than 90d."),
        (("export", "--idz"), "Did you mean '--ids'?\n"),
        (("run", "my", "sheet.csv"), "Put names that contain spaces in quotation marks."),
        (("run", "in.csv", "--limit", "x"), "'x' is not a whole number from 1 to 1,000,000,000."),
    ],
)
def test_a_wrong_command_line_says_what_to_type(run_program, arguments, message):
    wrong = run_program(*arguments, json=False)
    assert wrong.exit_code == 2
    assert message in wrong.err


@pytest.mark.parametrize("command", ["run", "check", "doctor"])
def test_version_is_accepted_after_a_command(run_program, command):
    shown = run_program(command, "--version", json=False)
    assert (shown.exit_code, shown.out.startswith("bulkupdate, version ")) == (0, True)
