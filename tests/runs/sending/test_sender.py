"""Each fault of the sandbox through the whole program, and random schedules of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.runs.run_records import RunState
from bulkupdate.sandbox.faults import SandboxRequest, ScheduledFaults
from bulkupdate.sandbox.responses import SandboxResponse
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import FIRST, find_puts, read_results, write_sheet
from tests.runs.in_process import Driver


def run_rows(
    run_program: Any, sandbox: Sandbox, tmp_path: Path, rows: int, **given: object
) -> tuple[list[dict[str, str]], list[int]]:
    """The result lines of these rows, sent one after the other, and how often each was sent."""
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", rows)
    limits = {"timeout": 0.5, "max_attempts": 3, "max_failures": 100, "retry_wait": 0, "concurrency": 1}
    answer = run_program("run", sheet, "--yes", "-o", tmp_path / "results.csv", **limits, **given)
    lines = read_results(tmp_path / "results.csv")
    assert answer.counts == Counter(line["Status"] for line in lines)
    assert "Traceback" not in answer.err
    sent = Counter(find_puts(sandbox))
    return lines, [sent[line["CustomerId"]] for line in lines]


def answer_each(answers: Sequence[object]) -> Callable[[SandboxRequest], Any]:
    """A plan: every update of the n-th customer gets the n-th of these faults or responses."""
    return lambda call: answers[int(call.customer_id) - FIRST] if call.kind == "write" else None


def test_trouble_that_passes_is_tried_again_with_the_same_body(make_sandbox, run_program, tmp_path):
    faults = ["error-500", "error-502", "error-503", "html-502", "cut-before", "cut-after", "slow", "expired-token"]
    plan = ScheduledFaults(customers={FIRST + at: [fault] for at, fault in enumerate(faults)})
    sandbox = make_sandbox(plan=plan, slow_seconds=3)
    lines, sent = run_rows(run_program, sandbox, tmp_path, len(faults))
    assert [line["Status"] for line in lines] == ["updated"] * len(faults)
    assert dict(zip(faults, sent, strict=True)) == dict.fromkeys(faults, 2)
    assert len({each.body for each in sandbox.requests if each.kind == "write"}) == len(faults)


@pytest.mark.long
def test_trouble_that_stays_ends_after_max_attempts_and_never_calls_an_unanswered_row_updated(
    make_sandbox, run_program, tmp_path
):
    """A 200 whose body is empty, a page or never ends is a 200 all the same; one that says otherwise is none."""
    statuses = {
        "error-500": "failed", "error-502": "failed", "error-503": "failed", "html-502": "failed",
        "cut-before": "unknown", "cut-after": "unknown", "slow": "unknown", "trickle": "updated",
        "empty-body": "updated", "html-200": "updated", "conflict-409": "rejected", "refused-200": "rejected",
    }  # fmt: skip
    sandbox = make_sandbox(plan=answer_each(list(statuses)), slow_seconds=3)
    lines, sent = run_rows(run_program, sandbox, tmp_path, len(statuses))
    assert dict(zip(statuses, (line["Status"] for line in lines), strict=True)) == statuses
    assert sent == [3 if status in ("failed", "unknown") else 1 for status in statuses.values()]
    assert [line["Attempts"] for line in lines] == list(map(str, sent))


def test_an_unclear_answer_leaves_the_row_unknown_and_retry_sends_it_again(make_sandbox, run_program, tmp_path):
    """A 202 is no 200 that waits for its read-back."""
    answers = iter([SandboxResponse(202, b"")])
    sandbox = make_sandbox(plan=lambda call: next(answers, None) if call.kind == "write" else None)
    (line,), _ = run_rows(run_program, sandbox, tmp_path, 1)
    assert (line["Status"], line["HttpStatus"]) == ("unknown", "202")
    assert line["Message"].startswith("answered 202, which does not say whether the update was carried out.")
    assert run_program("retry").told["counts"] == {"updated": 1}
    assert len(find_puts(sandbox)) == 2


def test_a_refusal_costs_one_request_and_its_reason_is_told(make_sandbox, run_program, tmp_path):
    statuses = [400, 403, 404, 405, 413, 415, 422]
    reason = json.dumps({"Message": "No such luck."}).encode()
    sandbox = make_sandbox(plan=answer_each([SandboxResponse(status, reason) for status in statuses]))
    lines, sent = run_rows(run_program, sandbox, tmp_path, len(statuses))
    assert [(line["Status"], line["HttpStatus"]) for line in lines] == [("rejected", str(each)) for each in statuses]
    assert all(line["Message"].startswith("No such luck. C") for line in lines)  # followed by what to do about it
    assert sent == [1] * len(statuses)


def test_a_200_with_any_body_is_a_success(make_sandbox, run_program, tmp_path):
    bodies = [b"", b"<html><title>Hello</title></html>", b'{"ID": 1', b"\xff\xfe\x00", b"null", b"[]"]
    sandbox = make_sandbox(plan=answer_each([SandboxResponse(200, body) for body in bodies]))
    lines, _ = run_rows(run_program, sandbox, tmp_path, len(bodies))
    assert [line["Status"] for line in lines] == ["updated"] * len(bodies)


def test_a_redirect_is_never_followed_with_the_token(make_sandbox, run_program, tmp_path):
    other = make_sandbox()
    away = {"Location": f"{other.base_url}/Customers/{FIRST}"}
    sandbox = make_sandbox(plan=answer_each([SandboxResponse(each, headers=away) for each in (301, 302, 307, 308)]))
    lines, sent = run_rows(run_program, sandbox, tmp_path, 4)
    assert ([line["Status"] for line in lines], sent) == (["rejected"] * 4, [1] * 4)
    assert not other.requests


def test_a_service_that_is_gone_ends_the_run_at_sign_in(make_sandbox, run_program, tmp_path):
    """A refused connection is tried again, then exit 4 with nothing attempted."""
    sandbox = make_sandbox()
    sandbox.stop()
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 3), "--yes", max_attempts=2, retry_wait=0)
    assert (answer.exit_code, answer.counts) == (4, {"not attempted": 3})
    assert f"Signing in at {sandbox.base_url} failed 2 times" in answer.err


@pytest.mark.long
def test_one_slow_answer_does_not_hold_up_the_other_workers(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST + 3: ["slow"]}), slow_seconds=1.5)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 60), "--yes", timeout=10, concurrency=4)
    assert answer.counts == {"updated": 60}
    slow = next(each for each in sandbox.requests if each.customer_id == str(FIRST + 3))
    assert max(each.at for each in sandbox.requests) < slow.at + 1.5


def test_verify_calls_a_row_failed_whose_200_changed_nothing(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST + 1: ["ignored-200"]}))
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 3)
    answer = run_program("run", sheet, "--yes", "--verify", "-o", tmp_path / "results.csv")
    assert (answer.exit_code, answer.counts) == (1, {"updated": 2, "failed": 1})
    assert "read back unchanged: Name, Email, Comments" in read_results(tmp_path / "results.csv")[1]["Message"]
    again = run_program("retry", "--yes")
    assert (again.exit_code, again.counts) == (0, {"updated": 1})


def test_an_unknown_row_whose_last_try_got_a_500_is_sent_again_by_resume(make_sandbox, run_program, tmp_path):
    """It is not taken for one that was answered 200 and waits for its read-back."""
    plan = ScheduledFaults(writes=["cut-after", "error-500", *["error-500"] * 8])
    sandbox = make_sandbox(plan=plan)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 3)
    tight = {"max_attempts": 2, "max_failures": 2, "concurrency": 1}
    stopped = run_program("run", sheet, "--yes", **tight)
    assert (stopped.exit_code, stopped.counts) == (4, {"unknown": 1, "failed": 1, "not attempted": 1})
    sandbox.service.plan = None
    before = len(sandbox.requests)
    resumed = run_program("resume")
    assert (resumed.exit_code, resumed.counts) == (0, {"updated": 3})
    assert len(sandbox.requests) == before + 1 + 3, "one sign-in, three updates, no reading"


class SkippingClock(Clock):
    """Waits of this side take no time but move the hands: throttlings and back-offs of a minute pass at once."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> float:
        return super().now() + self.skipped

    def wait(self, seconds: float, stop: Any) -> bool:
        self.skipped += max(0.0, seconds)
        return bool(stop.wait(0.001))


class ServiceClock(Clock):
    """The same hands, on the other side, where waiting is what makes an answer slow."""

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now()


ROWS = 12
TROUBLES = st.sampled_from(
    [
        None, None, None, "error-500", "error-502", "error-503", "throttle-429", "throttle-409", "conflict-409",
        "html-200", "html-502", "empty-body", "cut-before", "cut-after", "expired-token", "ignored-200",
    ]
)  # fmt: skip


class Schedule:
    """The drawn troubles of each customer in turn, and after so many updates in all a wish to stop."""

    def __init__(self, troubles: dict[int, list[str | None]], stop_after: list[int], driver: Driver) -> None:
        self._faults = ScheduledFaults(customers={FIRST + at: each for at, each in troubles.items()})
        self._stop_after = stop_after
        self._driver = driver
        self._attempts: Counter[str] = Counter()
        self._writes = 0

    def __call__(self, call: SandboxRequest) -> Any:
        if call.kind != "write":
            return None
        self._writes += 1
        self._attempts[call.customer_id] += 1
        if self._writes in self._stop_after:
            self._driver.stop.set()
        return self._faults(SandboxRequest(call.kind, self._writes, call.customer_id, self._attempts[call.customer_id]))


@pytest.fixture(scope="module")
def world():
    """One sandbox for all schedules, and the clock both sides go by."""
    clock = SkippingClock()
    with Sandbox(SandboxOptions(customers=50, requests_per_hour=0), clock=ServiceClock(clock)) as sandbox:
        yield sandbox, clock


@pytest.fixture(scope="module")
def numbers():
    return iter(range(10_000))


RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SCHEDULES = given(
    troubles=st.dictionaries(st.integers(0, ROWS - 1), st.lists(TROUBLES, max_size=6), max_size=ROWS),
    stop_after=st.lists(st.integers(1, 30), max_size=3),
    concurrency=st.integers(1, 6),
    max_failures=st.integers(1, 8),
)


@settings(RELAXED, max_examples=3, derandomize=True)
@SCHEDULES
def test_whatever_the_trouble_counts_add_up_and_nothing_is_called_what_it_is_not(world, numbers, tmp_path, **schedule):
    play(world, numbers, tmp_path, **schedule)


@pytest.mark.long
@settings(RELAXED, max_examples=100)
@SCHEDULES
def test_whatever_the_trouble_counts_add_up_for_many_schedules(world, numbers, tmp_path, **schedule):
    play(world, numbers, tmp_path, **schedule)


def play(world, numbers, tmp_path, troubles, stop_after, concurrency, max_failures):
    """Counts add up; what is called updated is so; only payloads change customers; none updated is sent again."""
    sandbox, clock = world
    folder = tmp_path / str(next(numbers))
    folder.mkdir()
    sheet = write_sheet(folder / "customers.csv", ROWS, word=f"example{folder.name}")
    limits = {"concurrency": concurrency, "max_failures": max_failures, "max_attempts": 3, "timeout": 5.0}
    driver = Driver(sandbox.base_url, folder, clock=clock, settings=limits)
    sandbox.service.plan = Schedule(troubles, stop_after, driver)
    sandbox.reset_log()
    before = {at: sandbox.customer(at) for at in sandbox.service.registry.ids}
    run = driver.begin(sheet)
    confirmed: set[str] = set()
    for _ in range(20):
        seen = len(sandbox.requests)
        ending = driver.execute_run(run)
        assert not confirmed & set(find_puts(sandbox, after=seen)), "an updated row was sent again"
        confirmed = check_truth(sandbox, before, ending, folder.name, troubles)
        if ending.run.state is RunState.FINISHED:
            break
    assert ending.run.state is RunState.FINISHED


def check_truth(sandbox: Sandbox, before: dict[int, Any], ending: Any, word: str, troubles: Any) -> set[str]:
    """The customers called updated, each of which is; no other field of anyone has changed."""
    assert ending.tally.rows == ROWS
    assert not ending.tally[Status.INVALID]
    assert ending.results is not None
    lines = read_results(ending.results)
    assert Counter(line["Status"] for line in lines) == {str(s): n for s, n in ending.tally.counts.items() if n}
    for at, old in before.items():
        place = at - FIRST
        payload = {"Name": f"example{word} {place}", "Email": f"example{word}-{place}@example.com"}
        payload["Comments"] = f"a, example{word};\n{place}"
        now = sandbox.customer(at)
        assert now in (old, {**old, **payload}) if place < ROWS else now == old
        ignored = "ignored-200" in troubles.get(place, ())  # a 200 is no proof: that is what --verify is for
        if place < ROWS and lines[place]["Status"] == "updated" and not ignored:
            assert now == {**old, **payload}
    return {line["CustomerId"] for line in lines if line["Status"] == "updated"}
