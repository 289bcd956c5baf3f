"""`help`, and what every command's help has."""

from __future__ import annotations

import pytest

from bulkupdate.cli.main import SHORT_HELPS
from bulkupdate.settings import SETTINGS, environment_name


def test_help_settings_lists_every_setting(run_program):
    shown = run_program("help", "settings", json=False)
    assert shown.exit_code == 0
    assert [each.name for each in SETTINGS if environment_name(each.name) not in shown.out] == []
    assert "requests in flight [8]" in shown.out


def test_help_shows_a_command_and_all_commands(run_program):
    assert run_program("help", "run", json=False).out == run_program("run", "--help", json=False).out
    listed = run_program("help", json=False).out
    assert all(name in listed for name in SHORT_HELPS)
    assert "Every day:" in listed
    assert run_program("help", "nonsense", json=False).exit_code == 2


@pytest.mark.parametrize("command", ["run", "check", "doctor"])
def test_version_is_accepted_after_a_command(run_program, command):
    shown = run_program(command, "--version", json=False)
    assert (shown.exit_code, shown.out.startswith("bulkupdate, version ")) == (0, True)
