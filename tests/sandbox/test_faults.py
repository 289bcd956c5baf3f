"""One test a fault: what the client sees, and whether the update was applied."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.faults import FAULTS, RatedFaults, SandboxRequest, ScheduledFaults, check_rates
from bulkupdate.sandbox.responses import SandboxResponse
from tests.sandbox.caller import FIRST, TurnedClock, call_sandbox

BODY = {"Name": "New Name"}


@pytest.mark.parametrize(
    ("fault", "status", "applied"),
    [
        ("error-500", 500, False), ("error-502", 502, False), ("error-503", 503, False), ("throttle-429", 429, False),
        ("throttle-409", 409, False), ("conflict-409", 409, False), ("html-200", 200, True), ("html-502", 502, False),
        ("empty-body", 200, True), ("expired-token", 401, False), ("ignored-200", 200, False),
        ("throttle-200", 200, False), ("refused-200", 200, False),
    ],
)  # fmt: skip
def test_fault_by_status_and_whether_applied(fault: str, status: int, applied: bool) -> None:
    """It strikes once, the log says so, and the next request goes well."""
    with call_sandbox(ScheduledFaults(writes=[fault])) as caller:
        assert caller.put(BODY).status_code == status
        assert caller.sandbox.changes() == ({FIRST: BODY} if applied else {})
        seen = caller.sandbox.requests[-1]
        assert (seen.fault, seen.status, seen.applied) == (fault, status, applied)
        caller.sign_in()
        assert caller.put(BODY).status_code == 200
        assert caller.sandbox.counts["faults"] == {fault: 1}


def test_bodies_of_the_faults_are_what_their_names_say() -> None:
    plan = ScheduledFaults(
        writes=[
            "html-200",
            "html-502",
            "empty-body",
            "conflict-409",
            "refused-200",
            "throttle-409",
            "throttle-429",
            "throttle-200",
        ]
    )
    with call_sandbox(plan, TurnedClock(), throttle_seconds=-5.5) as caller:
        page, bad_gateway, empty, conflict, refused, *throttled = [caller.put(BODY) for _ in range(8)]
    assert page.text.startswith("<!DOCTYPE html>")
    assert "html" in bad_gateway.headers["Content-Type"]
    assert empty.content == b""
    assert "RateLimitResetTime" not in conflict.json()
    assert refused.json()["Success"] is False
    assert {each.json()["RateLimitResetTime"] for each in throttled} == {"2023-11-14T22:13:14.5000000Z"}


def test_a_503_says_retry_after_only_where_set() -> None:
    with call_sandbox(ScheduledFaults(writes=["error-503"]), retry_after_seconds=7) as caller:
        assert caller.put(BODY).headers["Retry-After"] == "7"
    with call_sandbox(ScheduledFaults(writes=["error-503"])) as caller:
        assert "Retry-After" not in caller.put(BODY).headers


@pytest.mark.parametrize(("fault", "applied"), [("cut-before", False), ("cut-after", True)])
def test_a_cut_connection_gives_no_answer_and_the_next_request_goes_well(fault: str, applied: bool) -> None:
    with call_sandbox(ScheduledFaults(writes=[fault])) as caller:
        with pytest.raises(requests.ConnectionError) as raised:
            caller.put(BODY)
        assert ("reset by peer" in str(raised.value)) == (fault == "cut-after")
        seen = caller.sandbox.requests[-1]
        assert (seen.status, seen.applied, seen.fault) == (None, applied, fault)
        assert caller.sandbox.changes() == ({FIRST: BODY} if applied else {})
        assert caller.put(BODY).status_code == 200


def test_a_slow_answer_is_applied_and_frees_its_thread_when_the_client_hangs_up() -> None:
    """70 time-outs against 64 threads: were each to sleep its minute, no thread would be left."""
    slow = threading.Event()
    slow.set()
    with call_sandbox(lambda call: "slow" if call.kind == "write" and slow.is_set() else None) as caller:
        caller.timeout = (10, 0.01)  # a busy machine may take longer to connect
        for _ in range(70):
            with pytest.raises(requests.Timeout):
                caller.put(BODY)
        assert caller.sandbox.changes() == {FIRST: BODY}
        slow.clear()
        caller.timeout = 60
        assert caller.put(BODY).status_code == 200


def test_slow_seconds_sets_how_slow() -> None:
    with call_sandbox(ScheduledFaults(writes=["slow"]), slow_seconds=0.15) as caller:
        assert caller.put(BODY).elapsed.total_seconds() >= 0.15


def test_a_trickled_answer_outlasts_a_time_out_of_each_read() -> None:
    """600 bytes, one at a time: no single read is late, the whole is."""
    with call_sandbox(ScheduledFaults(writes=["trickle"]), byte_seconds=0.02) as caller:
        caller.timeout = 0.5
        url, start = f"{caller.sandbox.base_url}/Customers/{FIRST}", time.monotonic()
        with caller.session.put(url, json=BODY, stream=True, timeout=0.5) as answer:
            received = len(answer.raw.read(50))
        assert received == 50
        assert time.monotonic() - start > 0.5
        assert caller.sandbox.changes() == {FIRST: BODY}


def test_expired_token_ends_all_tokens_so_far() -> None:
    with call_sandbox(ScheduledFaults(writes=[None, "expired-token"])) as caller:
        assert [caller.put(BODY).status_code for _ in range(4)] == [200, 401, 401, 401]
        caller.sign_in()
        assert caller.put(BODY).status_code == 200
        assert [each.token_number for each in caller.sandbox.requests] == [None, 1, 1, 1, 1, 1, 2]


def test_a_fault_that_disguises_success_leaves_a_refusal_as_it_is() -> None:
    with call_sandbox(ScheduledFaults(writes=["html-200", "empty-body", "ignored-200"])) as caller:
        assert [caller.put({"Name": 5}).status_code for _ in range(3)] == [400, 400, 400]


def test_a_plan_can_give_an_answer_of_its_own() -> None:
    def refuse_second_try(call: SandboxRequest) -> SandboxResponse | None:
        return SandboxResponse(418, b"tea", "text/plain", {"X-Pot": "1"}) if call.attempt == 2 else None

    with call_sandbox(refuse_second_try) as caller:
        assert [caller.put(BODY, FIRST + n).status_code for n in (0, 1, 0, 0)] == [200, 200, 418, 200]
        assert caller.sandbox.requests[3].fault == "planned"


def test_a_schedule_knows_kinds_and_customers() -> None:
    plan = ScheduledFaults(
        tokens=[None, "error-500"],
        reads=["html-502"],
        lists=["error-503"],
        customers={FIRST + 1: [None, "conflict-409"]},
    )
    with call_sandbox(plan) as caller:
        assert caller.sign_in().status_code == 500
        assert (caller.get().status_code, caller.get().status_code) == (502, 200)
        assert [caller.put(BODY, FIRST + 1).status_code for _ in range(3)] == [200, 409, 200]
        with pytest.raises(AssertionError):
            caller.list()


def test_faults_by_rate_come_at_that_rate_and_are_the_same_whatever_the_order() -> None:
    plan = RatedFaults({"error-500": 0.2, "cut-after": 0.1}, seed=5, kinds=("write",))
    calls = [SandboxRequest("write", 1, str(customer_id), attempt) for customer_id in range(1000) for attempt in (1, 2)]
    struck = {call: plan(call) for call in calls}
    assert {call: plan(call) for call in reversed(calls)} == struck
    shares = {name: list(struck.values()).count(name) / len(calls) for name in ("error-500", "cut-after", None)}
    assert shares == pytest.approx({"error-500": 0.2, "cut-after": 0.1, None: 0.7}, abs=0.03)
    assert {call: RatedFaults({"error-500": 0.2}, 6, ("write",))(call) for call in calls} != struck
    assert plan(SandboxRequest("read", 1, "1", 1)) is None


@pytest.mark.parametrize(("faults_on", "read", "write"), [("writes", 200, 500), ("reads", 500, 200)])
def test_faults_by_rate_strike_the_requests_set(faults_on: str, read: int, write: int) -> None:
    with call_sandbox(faults={"error-500": 1.0}, faults_on=faults_on) as caller:
        assert (caller.get().status_code, caller.put(BODY).status_code) == (read, write)


def test_wrong_rates_are_refused() -> None:
    assert check_rates({"error-500": 0.05, "slow": 0.01}) == {"error-500": 0.05, "slow": 0.01}
    for wrong in ({"error-599": 0.1}, {"slow": -1}, {"slow": float("nan")}, {"slow": 0.6, "trickle": 0.6}):
        with pytest.raises(UsageError):
            check_rates(wrong)
    with pytest.raises(UsageError):
        ScheduledFaults(writes=["no-such-fault"])


def test_the_faults_are_those_promised() -> None:
    """Each has a help text; a new one needs a test above."""
    assert set(FAULTS) == {
        "error-500", "error-502", "error-503", "throttle-429", "throttle-409", "conflict-409", "html-200", "html-502",
        "empty-body", "cut-before", "cut-after", "slow", "expired-token", "ignored-200", "trickle", "throttle-200",
        "refused-200", "applied-500",
    }  # fmt: skip
    assert all(fault.help for fault in FAULTS.values())
