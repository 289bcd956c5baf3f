"""The limits that a night has without being told, and what they let pass."""

from __future__ import annotations

import pytest

from bulkupdate.errors import ExitCode
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
    assert (
        "has 50 rows; the last 3 of that name had 5 in the median" in env.summary("shop-27")["problems"][0]["message"]
    )
    env.given["nightly_max_growth"] = 0
    env.put("shop-28.csv", sheet(range(FIRST, FIRST + 50)))
    assert env.night() is ExitCode.DONE
