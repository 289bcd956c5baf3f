"""Requests with quota and token: throttle answers, and one customer that is refused alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import ThrottledTooLongError
from bulkupdate.redaction import Secret
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.sellercloud.scripted import Reaction, Received, TurnedClock, connect, in_turn, net_time, serve, throttled
from tests.sellercloud.test_rate_limit import most_in_any_window

BODY = '{"Name": "Anna"}'


@pytest.mark.parametrize("status", [409, 429])
def test_all_workers_wait_until_the_reset_time(tmp_path: Path, status: int) -> None:
    """Check 19, by the machine's own clock: eight workers, one throttling."""
    lock, state = threading.Lock(), {"reset": 0.0}

    def script(request: Received) -> Reaction:
        with lock:
            if not state["reset"] and len(service.puts) >= 20:
                state["reset"] = request.time + 0.7
            return throttled(status, net_time(state["reset"])) if request.time < state["reset"] else Reaction(200)

    with (
        serve(script) as service,
        connect(service.base_url, tmp_path) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda number: client.update_customer(str(number), BODY), range(1, 61)))
        assert {answer.status for answer in answers} == {Status.UPDATED}
        assert {answer.attempts for answer in answers} == {1}, "a throttling is no try"
        assert client.quota.waiting is None
    reset = state["reset"]
    began = min(each.time for each in service.puts if reset - 0.7 <= each.time)
    early = [each for each in service.puts if began + 0.3 < each.time < reset]
    assert early == [], "once the pause is known nobody sends"
    assert max(each.time for each in service.puts) - reset < 1.5


def test_the_wait_can_be_shown(tmp_path: Path) -> None:
    seen = []

    class Watching(TurnedClock):
        def wait(self, seconds: float, stop: threading.Event) -> bool:
            seen.append(client.quota.waiting)
            return super().wait(seconds, stop)

    clock = Watching()
    script = in_turn(throttled(429, net_time(clock.now() + 300)), Reaction(200))
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        started = clock.now()
        client.update_customer("163", BODY)
    assert seen[0] is not None
    assert seen[0].throttled
    assert seen[0].until == pytest.approx(started + 300, abs=1)


@pytest.mark.parametrize("how", ["seconds", "date"])
def test_retry_after_is_kept(tmp_path: Path, how: str) -> None:
    """Check 22."""
    clock = TurnedClock()
    value = "90" if how == "seconds" else formatdate(clock.now() + 90, usegmt=True)
    script = in_turn(Reaction(429, headers={"Retry-After": value}), Reaction(200))
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        assert client.update_customer("163", BODY).attempts == 1
        first, second = service.puts
        assert 90 <= second.time - first.time < 92


@pytest.mark.parametrize(
    "answer",
    [
        Reaction(429, headers={"Retry-After": "999999"}),
        Reaction(503, headers={"Retry-After": "999999"}),
        throttled(409, net_time(1_800_000_000.0 + 3 * 3600)),
    ],
    ids=["Retry-After", "503", "3 hours ahead"],
)
def test_too_long_a_wait_ends_the_run_with_the_time(tmp_path: Path, answer: Reaction) -> None:
    """Checks 21 and 22."""
    clock = TurnedClock()
    with serve(answer, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        result = client.update_customer("163", BODY)
        assert isinstance(result.stop, ThrottledTooLongError)
        assert result.status is (Status.UNKNOWN if answer.status == 503 else Status.NOT_ATTEMPTED)
        assert "until" in str(result.stop)
        assert isinstance(client.update_customer("164", BODY).stop, ThrottledTooLongError)
        assert (len(service.puts), clock.waits) == (1, [])


@pytest.mark.parametrize("reset", ["2001-01-01T00:00:00Z", None, "soon", 5])
def test_useless_reset_times_end_in_a_bounded_wait(tmp_path: Path, reset: Any) -> None:
    """Check 21: under five requests a minute, then exit 4."""
    clock = TurnedClock()
    with (
        serve(throttled(409, reset), clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock) as client,
    ):
        result = client.update_customer("163", BODY)
        assert isinstance(result.stop, ThrottledTooLongError)
        times = [each.time for each in service.puts]
        assert most_in_any_window(times, 60) < 5
        assert 225 <= times[-1] - times[0] < 240


def test_a_connection_cut_after_a_pause_does_not_end_the_throttling(tmp_path: Path) -> None:
    """The next pause is twice as long, as if the service had answered with another throttle answer at once."""
    clock = TurnedClock()
    script = in_turn(Reaction(429), Reaction(0), Reaction(429), Reaction(200))
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        assert client.update_customer("163", BODY).status is Status.UPDATED
    times = [each.time for each in service.puts]
    assert times[1] - times[0] == pytest.approx(15, abs=1)
    assert times[3] - times[2] == pytest.approx(30, abs=1)


@pytest.mark.parametrize("off", [-7200.0, 7200.0])
def test_a_local_clock_two_hours_off_waits_as_long_as_asked(tmp_path: Path, off: float) -> None:
    """Check 21."""
    service_clock = TurnedClock()

    class Off(TurnedClock):
        def now(self) -> float:
            return service_clock.now() + off

        def wait(self, seconds: float, stop: threading.Event) -> bool:
            return service_clock.wait(seconds, stop)

    script = in_turn(throttled(429, net_time(service_clock.now() + 120)), Reaction(200))
    with (
        serve(script, clock=service_clock) as service,
        connect(service.base_url, tmp_path, clock=Off()) as client,
    ):
        assert client.update_customer("163", BODY).status is Status.UPDATED
        first, second = service.puts
        assert 120 <= second.time - first.time < 123


def test_an_answer_without_a_date_says_nothing_about_the_clock(tmp_path: Path) -> None:
    """A proxy may answer without one; what the service said before still holds."""
    clock = TurnedClock()
    undated = Reaction(raw=lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    with (
        serve(in_turn(Reaction(200), undated), clock=TurnedClock(clock.now() + 7200)) as service,
        connect(service.base_url, tmp_path, clock=clock) as client,
    ):
        assert client.pipeline.service_time(0.0) == 0.0
        for _ in range(2):
            assert client.update_customer("163", BODY).status is Status.UPDATED
            assert client.pipeline.service_time(clock.now()) == clock.now() + 7200


def test_a_503_with_retry_after_pauses_all_but_counts_as_a_try(tmp_path: Path) -> None:
    clock = TurnedClock()
    script = in_turn(Reaction(503, headers={"Retry-After": "20"}), Reaction(200))
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        assert client.update_customer("163", BODY).attempts == 2
        first, second = service.puts
        assert 20 <= second.time - first.time < 22


def test_a_throttling_in_one_process_is_known_to_the_next(tmp_path: Path) -> None:
    clock = TurnedClock()
    stop = threading.Event()

    def script(_: Received) -> Reaction:
        stop.set()
        return throttled(429, net_time(clock.now() + 600))

    with serve(script, clock=clock) as service:
        with connect(service.base_url, tmp_path, clock=clock, stop=stop) as client:
            assert client.update_customer("163", BODY).status is Status.NOT_ATTEMPTED
        service.script = lambda _: Reaction(200)
        with connect(service.base_url, tmp_path, clock=clock) as client:
            assert client.quota.capacity().free_at > clock.now() + 590
            client.sign_in()
        assert service.received[-1].time - service.puts[0].time > 600


def test_sign_ins_reads_and_tries_are_counted(tmp_path: Path) -> None:
    """Check 23: 10 an hour, against the service's own list of requests."""
    clock = TurnedClock()
    lock, count = threading.Lock(), iter(range(10_000))

    def script(_: Received) -> Reaction:
        with lock:
            number = next(count)
        clock.advance(5)
        return (Reaction(503), Reaction(200, {"General": {}}), Reaction(401), Reaction(200, {"General": {}}))[
            number % 4
        ]

    with (
        serve(script, clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock, requests_per_hour=10) as client,
    ):
        for number in range(1, 20):
            client.update_customer(str(number), BODY)
            client.read_customer(str(number))
        times = [each.time for each in service.received]
        assert client.calls == len(times) > 60
        assert most_in_any_window(times, 3600) == 10


def test_a_scaled_window_is_used_to_98_percent_without_a_throttling(tmp_path: Path) -> None:
    """Issue 3: the sandbox counts a rolling window of its own, and never says no."""
    limit, window = 60, 4.0
    with (
        Sandbox(SandboxOptions(requests_per_hour=limit, window_seconds=window, latency_seconds=0.005)) as sandbox,
        connect(
            sandbox.base_url, tmp_path, username="sandbox", password=Secret("sandbox"),
            requests_per_hour=limit, window_seconds=window,
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):  # fmt: skip
        ids = [str(100_001 + number) for number in range(limit)]
        answers = list(pool.map(lambda customer_id: client.update_customer(customer_id, BODY), ids))
        times = [each.at for each in sandbox.requests]
    assert {(answer.status, answer.attempts) for answer in answers} == {(Status.UPDATED, 1)}
    assert client.calls == len(times) == limit + 1, "no request was throttled"
    assert window / (times[-1] - times[0]) >= 0.98


def test_a_401_for_one_customer_is_a_rejection_if_the_new_token_is_good_for_another(tmp_path: Path) -> None:
    other_is_done = threading.Event()
    tries: list[str] = []

    def script(request: Received) -> Reaction:
        if request.customer_id != "163":
            return Reaction()
        tries.append("163")
        return Reaction(401, pause=other_is_done if len(tries) == 2 else None)

    with serve(script) as service, connect(service.base_url, tmp_path) as client:

        def send_other() -> None:
            while len(tries) < 2:
                other_is_done.wait(0.01)
            client.update_customer("164", "{}")
            other_is_done.set()

        other = threading.Thread(target=send_other)
        other.start()
        answer = client.update_customer("163", "{}")
        other.join()
        assert (answer.status, answer.http_status, answer.stop) == (Status.REJECTED, 401, None)
        assert len(service.sign_ins) == 2
