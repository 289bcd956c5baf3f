"""Each benchmark runs, on a tiny size, and finds its figures out. What they are is not tested: machines differ."""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module

import pytest
import requests

from benchmarks import __main__ as program
from benchmarks.__main__ import PROGRAMS, run_one
from benchmarks.delayed_server import NoServerError, serve_delayed
from benchmarks.figures import QUICK, Figure, interleave
from benchmarks.page import write_page
from benchmarks.rounds import ROUNDS

GOALS = {
    "request_counts": 1, "since_last": 2, "burst": 3, "quota_use": 4, "sending_50ms": 5, "sending_200ms": 6,
    "sending_no_latency": 7, "check_xlsx": 8, "check_csv": 9, "results": 10, "check_memory": 11, "run_memory": 12,
    "journal": 13, "start_up": 14, "growth": 15, "matching": 16, "page_upload": 17, "page_watchers": 18,
    "sending_postgres": 19, "quota_grants": 19, "intake_wait": 20, "history": 21,
}  # fmt: skip


@pytest.fixture(scope="module")
def made_sheets(tmp_path_factory):
    return tmp_path_factory.mktemp("sheets")


SHORT = ("journal", "results", "sending_50ms")
"""One of each sort; the others start many processes and are for `make test-long`."""

COUNTING = ("request_counts", "since_last")
"""What they find out does not depend on the machine."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in PROGRAMS]
)
def test_each_program_gives_figures_of_its_goal(name, made_sheets):
    try:
        figures = import_module(f"benchmarks.{name}").measure(QUICK, made_sheets)
    except NoServerError as error:
        pytest.skip(str(error))
    assert {each.goal for each in figures} == {GOALS[name]}
    assert any(each.holds is not None for each in figures), "at least one figure is judged"
    if name in COUNTING:
        assert all(each.holds for each in figures)
    assert all(each.measured for each in figures)


def test_every_goal_has_its_program():
    assert sorted(GOALS) == sorted(PROGRAMS)


def test_a_program_runs_as_a_process_of_its_own(made_sheets):
    assert [each.goal for each in run_one("results", made_sheets, is_quick=True)] == [10]


def test_the_page_tells_what_does_not_hold_and_what_was_not_measured(tmp_path):
    figures = [
        Figure(1, "calls", 11, most=11, beside="rows + 1"),
        Figure(5, "share", 0.5, least=0.92, limit="Python.", series={"time of .csv": [(1, 2), (3, 4)]}),
        Figure(14, "start", 1.5, " s"),
    ]
    failures = [("burst", "no C compiler")]
    rounds = tmp_path / "rounds.csv"
    rounds.write_text("day,goal,what,value,unit\n2026-01-14,5,share,0.61,\n", encoding="utf-8")
    for _ in range(2):
        write_page(tmp_path, figures, failures, repeats=3, program_count=4, minutes=2, rounds=rounds)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "**1 of 2 goals hold**: 5 does not." in page
    assert "| 5 | share | ≥ 0.92 | 0.5 | 0.61 | **no** |" in page
    assert "0.5 instead of ≥ 0.92. Python." in page
    assert "`burst` could not be measured: no C compiler" in page
    assert [line.split(",")[1] for line in rounds.read_text(encoding="utf-8").splitlines()] == [
        "goal",
        "5",
        "1",
        "5",
        "14",
    ]
    assert (tmp_path / "pictures" / "performance.png").stat().st_size > 10_000


def test_what_is_written_elsewhere_leaves_the_recorded_rounds_alone(tmp_path, monkeypatch):
    """Figures of tiny sheets once took the place of a round."""
    before = ROUNDS.read_bytes()
    monkeypatch.setattr(program, "run_one", lambda *_given, **_named: [Figure(5, "share", 0.5, least=0.92)])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--docs", str(tmp_path), "burst"])
    assert program.main() == 0
    assert ROUNDS.read_bytes() == before
    assert "5,share,0.5," in (tmp_path / "rounds.csv").read_text(encoding="utf-8")


def test_contenders_take_turns_at_being_first():
    order = []
    medians = interleave(3, {name: lambda name=name: float(len(order) + bool(order.append(name))) for name in "ab"})
    assert "".join(order) == "abbaab"
    assert medians["a"] == pytest.approx(3)


def test_the_delayed_server_answers_after_its_delay_and_counts():
    try:
        with serve_delayed(0.05) as base_url:
            begun = time.perf_counter()
            for _ in range(4):
                assert requests.put(f"{base_url}/Customers/1", data='{"Name": "x"}', timeout=5).status_code == 200
            assert time.perf_counter() - begun >= 0.2
            assert requests.post(f"{base_url}/token", json={}, timeout=5).json()["access_token"]
            assert json.loads(requests.get(base_url, timeout=5).text) == {"updates": 4, "sign_ins": 1}
    except NoServerError as error:
        pytest.skip(str(error))
