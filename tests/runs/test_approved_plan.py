"""`--plan`: what was approved is sent, and nothing else."""

from __future__ import annotations

import json

import pytest

from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.approved_plan import make_plan, require_plan_place
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.settings import Settings
from tests.conftest import find_puts, write_sheet


def test_the_approved_plan_is_sent(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "a.csv", 3)
    checked = run_program("run", sheet, "--dry-run", "--verify", "--plan", "plan.json")
    assert checked.told["next_args"][3:] == ["--plan", "plan.json", "--verify"]
    done = run_program(*checked.told["next_args"][1:], "--yes")
    assert (done.exit_code, len(find_puts(sandbox))) == (ExitCode.DONE, 3)


@pytest.mark.parametrize(
    ("rows", "options", "settings", "reason"),
    [
        (4, (), {}, "the file was changed"),
        (3, ("--snapshot",), {}, "the options differ"),
        (3, ("--limit", 1), {}, "the options differ"),
        (3, (), {"write_policy": "Fax=never"}, "the write policy differs"),
        (3, ("--map", "Name=Salesman"), {}, "other values would be sent"),
        (3, (), {"base_url": "http://127.0.0.1:9/rest/api"}, "another service"),
    ],
)
def test_anything_else_is_refused(run_program, sandbox, tmp_path, rows, options, settings, reason):
    sheet = write_sheet(tmp_path / "a.csv", 3)
    assert run_program("check", sheet, "--plan", "plan.json").exit_code == ExitCode.DONE
    write_sheet(sheet, rows)
    refused = run_program("run", sheet, "--yes", "--plan", "plan.json", *options, **settings)
    assert refused.exit_code == ExitCode.FILE_REFUSED
    assert reason in refused.err
    assert not find_puts(sandbox)


def test_a_file_that_is_no_plan_is_neither_taken_nor_overwritten(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "a.csv", 3)
    (tmp_path / "other.json").write_text("{}")
    assert run_program("run", sheet, "--yes", "--plan", "other.json").exit_code == ExitCode.USAGE
    assert run_program("check", sheet, "--plan", "other.json").exit_code == ExitCode.USAGE
    assert (tmp_path / "other.json").read_text() == "{}"
    assert not find_puts(sandbox)


@pytest.mark.parametrize("place", ["plan.csv", "plan", "none/plan.json"])
def test_a_plan_that_cannot_be_written_there_is_refused_before_the_check(tmp_path, place):
    with pytest.raises(UsageError):
        require_plan_place(tmp_path / place, force=True)
    require_plan_place(tmp_path / "plan.json", force=False)


def test_a_limit_is_part_of_the_plan_only_if_there_is_one(tmp_path):
    checked = load_input_file(write_sheet(tmp_path / "a.csv", 3), Settings(state_dir=tmp_path), SheetOptions())
    whole, limited = (make_plan(checked, RunOptions(limit=limit), Settings()).options for limit in (None, 2))
    assert "limit" not in json.loads(whole)
    assert json.loads(limited) == json.loads(whole) | {"limit": 2}
