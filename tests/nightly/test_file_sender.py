"""The plan of a file: how many rows can be sent at the speed of the service and within the quota."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import FIRST, NightEnvironment, sheet


def plans(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.getMessage().startswith("plan: ")]


@pytest.mark.parametrize(("quota", "fits"), [(50, 49), (0, 100)])
def test_the_plan_is_limited_by_the_quota(
    env: NightEnvironment, caplog: pytest.LogCaptureFixture, quota: int, fits: int
) -> None:
    caplog.set_level("INFO")
    env.given |= {"requests_per_hour": quota, "concurrency": 64}
    env.put("a.csv", sheet(range(FIRST, FIRST + 100)))
    env.night(end=Clock().now() + 0.8)
    (plan,) = plans(caplog)
    assert plan.startswith(f"plan: 100 rows to send, about {fits} of them by ")
    assert plan.endswith("(at the usual speed, within the quota)")


def test_the_plan_is_limited_by_the_time_left(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    """The quota allows all of them, but a service that needs 0.25 s a request does not."""
    caplog.set_level("INFO")
    env.given["concurrency"] = 1
    env.put("a.csv", sheet(range(FIRST, FIRST + 100)))
    env.night(end=Clock().now() + 5)
    (plan,) = plans(caplog)
    assert int(plan.split("about ")[1].split()[0]) in range(15, 21)


def test_the_speed_of_a_file_is_the_measure_for_the_next(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Sandbox(SandboxOptions(customers=2_000, latency_seconds=0.02)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"concurrency": 1})
        env.put("a.csv", sheet(range(FIRST, FIRST + 30)), age=60)
        env.put("b.csv", sheet(range(FIRST + 100, FIRST + 1_100)))
        env.night(end=Clock().now() + 3)
    first, second = plans(caplog)
    assert first.endswith("(at the usual speed, within the quota)")
    assert second.endswith("(at the speed of the last file, within the quota)")
    assert 20 < int(second.split("about ")[1].split()[0]) < 140


def test_without_an_end_the_plan_says_when_all_is_sent(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    env.put("a.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert plans(caplog)[0].startswith("plan: 1 row to send, expected end ")
