"""The limits that a night has without being told, and what they let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import ExitCode
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import FIRST, NightEnvironment, sheet


def clearing(rows: int, cleared: int) -> str:
    values = ["<clear>"] * cleared + ["0171 5550100"] * (rows - cleared)
    return "CustomerId,Mobile\n" + "".join(f"{FIRST + at},{value}\n" for at, value in enumerate(values))


@pytest.mark.parametrize(("rows", "cleared", "is_refused"), [(50, 11, True), (50, 10, False), (49, 49, False)])
def test_a_night_refuses_a_file_that_clears_more_than_a_fifth(
    env: NightEnvironment, rows: int, cleared: int, is_refused: bool
) -> None:
    env.put("a.csv", clearing(rows, cleared))
    assert env.night() is (ExitCode.FILE_REFUSED if is_refused else ExitCode.DONE)
    assert len(env.puts()) == (0 if is_refused else rows)
    if is_refused:
        reason = env.reports[0].reason
        assert "clear fields of 11 customers (Mobile of 11) in its 50 rows; the limit is 20% (10)" in reason
        assert f"bulkupdate run {env.reports[0].path} --max-clears 11" in reason


def test_a_night_refuses_a_file_with_ten_times_the_usual_rows(env: NightEnvironment) -> None:
    for day, rows in enumerate((4, 6, 5), 24):
        env.put(f"shop-{day}.csv", sheet(range(FIRST, FIRST + rows)))
        assert env.night() is ExitCode.DONE
    env.put("other.csv", sheet(range(FIRST, FIRST + 60)))
    env.put("shop-27.csv", sheet(range(FIRST, FIRST + 50)))
    assert env.night() is ExitCode.FILE_REFUSED
    assert env.places()["failed"] == ["shop-27.csv"]
    assert "has 50 rows; the last 3 of that name had a median of 5" in env.summary("shop-27")["problems"][0]["message"]
    env.given["nightly_max_growth"] = 0
    env.put("shop-28.csv", sheet(range(FIRST, FIRST + 50)))
    assert env.night() is ExitCode.DONE


def test_the_usual_rows_are_the_median_of_the_last_ten_files(env: NightEnvironment) -> None:
    """It is 2; with the eleventh, whose rows are many, it would be 3."""
    for number, rows in enumerate((3, *[1] * 5, *[3] * 5)):
        env.put(f"shop-{number}.csv", sheet(range(FIRST, FIRST + rows)), age=99 - number)
    assert env.night() is ExitCode.DONE
    for growth, code in ((25, ExitCode.FILE_REFUSED), (26, ExitCode.DONE)):
        env.given["nightly_max_growth"] = growth
        env.put("shop-99.csv", sheet(range(FIRST, FIRST + 50)))
        assert env.night() is code
        assert ("the last 10 of that name had a median of 2" in env.reports[0].reason) == (growth == 25)


def test_a_file_beyond_both_limits_is_told_of_both(env: NightEnvironment) -> None:
    for day in range(3):
        env.put(f"shop-{day}.csv", sheet([FIRST]), age=99 - day)
    assert env.night() is ExitCode.DONE
    env.put("shop-9.csv", clearing(50, 30))
    assert env.night() is ExitCode.FILE_REFUSED
    assert "a median of 1" in env.reports[0].reason
    assert "clear fields of 30 customers" in env.reports[0].reason


def test_the_command_for_a_refused_file_sends_it_as_the_night_would_have(env: NightEnvironment) -> None:
    env.put("a.csv", clearing(50, 30), age=9)
    env.put("b.csv", clearing(50, 31))
    options = RunOptions(verify=True, snapshot=True, since_last=True, max_age_days=2.5, canary=3)
    env.night(skip_invalid=True, run_options=options)
    assert "--skip-invalid --verify --since-last --snapshot --max-age 2.5 --canary 3" in env.reports[0].reason
    env.put("c.csv", clearing(50, 32))
    env.night()
    assert "--max-age" not in env.reports[0].reason
    assert "--canary" not in env.reports[0].reason


def test_a_canary_that_disagrees_leaves_its_file_and_the_night_goes_on(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(empty_string="ignored")) as sandbox:
        env = NightEnvironment(tmp_path, sandbox)
        env.put("clears.csv", clearing(20, 20), age=9)
        env.put("good.csv", sheet(range(FIRST + 100, FIRST + 103)))
        options = RunOptions(canary=2)
        assert env.night(run_options=options) is ExitCode.STOPPED
        assert set(env.puts()) == {str(FIRST + at) for at in (0, 1, 100, 101, 102)}
        assert env.places()["done"] == ["good.csv"]
        assert env.night(run_options=options) is ExitCode.STOPPED
        assert len(env.puts()) == 5
