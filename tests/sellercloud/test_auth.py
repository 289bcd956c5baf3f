"""The token: one sign-in for all, renewed in time, never a loop. Checks 24 to 27."""

from __future__ import annotations

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import InterruptedRunError, ServiceDownError, SignInRefusedError, StoppedError
from bulkupdate.sellercloud.auth import parse_expires_in
from tests.sellercloud.scripted import PASSWORD, USERNAME, Reaction, Received, TurnedClock, connect, in_turn, serve

BODY = '{"Name": "Anna"}'


class Tokens:
    """Gives out `t1`, `t2`, …; `refused` are no longer accepted."""

    def __init__(self, **more: Any) -> None:
        self._numbers = itertools.count(1)
        self._more = more
        self.refused: set[str] = set()

    def sign_in(self, _: Received) -> Reaction:
        return Reaction(body={"access_token": f"t{next(self._numbers)}", **self._more})

    def update(self, request: Received) -> Reaction:
        return Reaction(401 if request.headers["Authorization"].removeprefix("Bearer ") in self.refused else 200)


def test_the_login_is_sent_as_documented_and_once(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: client.update_customer(str(number), BODY), range(1, 50)))
        client.sign_in()
        [sign_in] = service.sign_ins
        assert (sign_in.method, sign_in.path) == ("POST", "/rest/api/token")
        assert json.loads(sign_in.body) == {"Username": USERNAME, "Password": PASSWORD}
        assert client.calls == 50


def test_a_401_for_32_in_flight_brings_one_sign_in_and_one_repetition_each(tmp_path: Path) -> None:
    """Check 24."""
    tokens, together = Tokens(), threading.Barrier(32)

    def update(request: Received) -> Reaction:
        if request.headers["Authorization"] == "Bearer t1":
            together.wait(10)
            return Reaction(401)
        return Reaction(200)

    with (
        serve(update, sign_in=tokens.sign_in) as service,
        connect(service.base_url, tmp_path, concurrency=32) as client,
        ThreadPoolExecutor(32) as pool,
    ):
        client.sign_in()
        answers = list(pool.map(lambda number: client.update_customer(str(number), BODY), range(1, 33)))
        assert {answer.status for answer in answers} == {Status.UPDATED}
        assert len(service.sign_ins) == 2
        for number in range(1, 33):
            sent = [each.headers["Authorization"] for each in service.puts if each.customer_id == str(number)]
            assert sent == ["Bearer t1", "Bearer t2"]


def test_a_401_with_the_new_token_ends_all_sending(tmp_path: Path) -> None:
    """Check 25: an account is not signed in again and again."""
    with (
        serve(Reaction(401, {"Message": "no rights"})) as service,
        connect(service.base_url, tmp_path) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda number: client.update_customer(str(number), BODY), range(1, 40)))
        assert all(isinstance(answer.stop, SignInRefusedError) for answer in answers)
        assert {answer.status for answer in answers} == {Status.NOT_ATTEMPTED}
        assert "no rights" in str(answers[0].stop)
        assert len(service.sign_ins) <= 2
        assert len(service.puts) <= 16
        before = len(service.received)
        assert client.update_customer("99", BODY).stop is not None
        with pytest.raises(SignInRefusedError):
            client.sign_in()
        assert len(service.received) == before


def test_a_new_token_refused_to_another_worker_first_ends_all_sending(tmp_path: Path) -> None:
    """It has not been accepted for anyone: a further sign-in would begin a loop."""
    tokens, others = Tokens(), []

    def update(request: Received) -> Reaction:
        if request.headers["Authorization"] == "Bearer t2" and request.customer_id == "1":
            others.append(pool.submit(client.update_customer, "2", BODY).result(20))
            return Reaction(200)
        return Reaction(401)

    with (
        serve(update, sign_in=tokens.sign_in) as service,
        connect(service.base_url, tmp_path) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        assert client.update_customer("1", BODY).status is Status.UPDATED
        assert [type(other.stop) for other in others] == [SignInRefusedError]
        assert len(service.sign_ins) == 2


def test_a_token_that_was_accepted_and_is_refused_later_is_renewed_again(tmp_path: Path) -> None:
    tokens = Tokens()
    with (
        serve(tokens.update, sign_in=tokens.sign_in) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        for number in range(1, 5):
            assert client.update_customer(str(number), BODY).status is Status.UPDATED
            tokens.refused.add(f"t{number}")
        assert len(service.sign_ins) == 4


def test_a_token_is_renewed_before_it_runs_out(tmp_path: Path) -> None:
    """Check 26: `expires_in` of 3 s, no 401 seen."""
    clock = TurnedClock()
    given: dict[str, float] = {}
    numbers = itertools.count(1)

    def sign_in(_: Received) -> Reaction:
        token = f"t{next(numbers)}"
        given[f"Bearer {token}"] = clock.now()
        return Reaction(body={"access_token": token, "expires_in": 3})

    def update(request: Received) -> Reaction:
        return Reaction(200 if clock.now() < given[request.headers["Authorization"]] + 3 else 401)

    with (
        serve(update, sign_in=sign_in, clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock) as client,
    ):
        for number in range(1, 61):
            assert client.update_customer(str(number), BODY).attempts == 1
            clock.advance(0.5)
        assert 10 <= len(service.sign_ins) <= 13


def test_a_token_that_runs_out_while_waiting_for_the_quota_is_renewed_first(tmp_path: Path) -> None:
    clock, tokens = TurnedClock(), Tokens(expires_in=1800)
    with (
        serve(tokens.update, sign_in=tokens.sign_in, clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock, requests_per_hour=3) as client,
    ):
        for number in range(1, 4):
            client.update_customer(str(number), BODY)
        assert [each.headers.get("Authorization") for each in service.received] == [
            None, "Bearer t1", "Bearer t1", None, "Bearer t2",
        ]  # fmt: skip
        assert client.quota.capacity().free == 1, "the permit of the stale token was given back"


@pytest.mark.parametrize(("life", "seconds"), [(3600, 3540), (300, 240), (100, 80), (1, 0.75)])
def test_a_token_is_used_until_shortly_before_its_end(tmp_path: Path, life: int, seconds: float) -> None:
    clock, tokens = TurnedClock(), Tokens(expires_in=life)
    with (
        serve(tokens.update, sign_in=tokens.sign_in, clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock) as client,
    ):
        client.sign_in()
        clock.advance(seconds - 1 / 16)
        client.sign_in()
        assert len(service.sign_ins) == 1
        clock.advance(1 / 8)
        client.sign_in()
        assert len(service.sign_ins) == 2


def test_a_token_is_renewed_at_its_moment(tmp_path: Path) -> None:
    clock, tokens = TurnedClock(), Tokens(expires_in=3600)
    with (
        serve(tokens.update, sign_in=tokens.sign_in, clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock) as client,
    ):
        client.sign_in()
        clock.advance(3540)
        assert client.update_customer("163", BODY).status is Status.UPDATED
        assert [each.headers.get("Authorization") for each in service.received] == [None, None, "Bearer t2"]


def test_five_customers_may_be_refused_alone_the_sixth_ends_the_run(tmp_path: Path) -> None:
    """Each costs a sign-in; the new token is accepted for another customer before it is refused for this one."""

    def script(request: Received) -> Reaction:
        if request.customer_id == "7":
            return Reaction(200)
        if sum(each.customer_id == request.customer_id for each in service.puts) == 2:
            assert client.update_customer("7", BODY).status is Status.UPDATED
        return Reaction(401, {"Message": "not yours"})

    tokens = Tokens()
    with serve(script, sign_in=tokens.sign_in) as service, connect(service.base_url, tmp_path) as client:
        for number in range(101, 106):
            answer = client.update_customer(str(number), BODY)
            assert (answer.status, answer.http_status, answer.stop) == (Status.REJECTED, 401, None)
            assert answer.message == "refused with a new token too, which was accepted for others: not yours"
        last = client.update_customer("106", BODY)
        assert (last.status, len(service.sign_ins)) == (Status.NOT_ATTEMPTED, 7)
        assert "has just issued to ops@example.com (401: not yours at Customers/106)" in str(last.stop)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_password_is_tried_once(tmp_path: Path, status: int) -> None:
    """Check 27."""
    with (
        serve(sign_in=Reaction(status, {"Message": "Invalid login"})) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        for _ in range(3):
            with pytest.raises(SignInRefusedError, match=f"{USERNAME}.*{status}: Invalid login") as caught:
                client.sign_in()
            assert caught.value.exit_code == 4
        assert len(service.received) == 1


def test_a_password_that_the_service_repeats_is_not_shown(tmp_path: Path) -> None:
    refusal = Reaction(400, {"Message": f"{PASSWORD} is not the password of {USERNAME}"})
    with serve(sign_in=refusal) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(SignInRefusedError, match=f"is not the password of {USERNAME}") as caught:
            client.sign_in()
        assert PASSWORD not in str(caught.value)


def test_a_refused_login_without_a_reason_is_named(tmp_path: Path) -> None:
    with serve(sign_in=Reaction(403)) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(
            SignInRefusedError, match=rf"^The service refuses the login {USERNAME} \(403\)\.$"
        ) as caught:
            client.sign_in()
        assert "BULKUPDATE_PASSWORD" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        (Reaction(405), "it answered 405"),
        (Reaction(404, b"Nothing here"), "it answered 404 Nothing here"),
        (Reaction(403, b"<html><title>Forbidden</title>"), "it answered 403 an HTML page: Forbidden"),
        (Reaction(500, b"<html><title>Oops</title>"), "it answered 500 an HTML page: Oops"),
        (Reaction(505, b"<html>"), "it answered 505 an HTML page"),
        (Reaction(200, b"<html>"), "answered 200 with an HTML page"),
        (Reaction(200, {"token": "x"}), "its answer holds no access token"),
        (Reaction(200, {"access_token": ""}), "its answer holds no access token"),
        (Reaction(200, {"access_token": "a b"}), "its answer holds no access token"),
    ],
)
def test_what_another_host_answered_is_quoted(tmp_path: Path, answer: Reaction, details: str) -> None:
    with serve(sign_in=answer) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(StoppedError) as caught:
            client.sign_in()
        assert str(caught.value) == (
            f"Signing in at {service.base_url} failed: {details}. This is not Sellercloud's API."
        )


@pytest.mark.parametrize("name", [5, None, ["Anna"]])
def test_a_user_name_that_is_no_text_is_none(tmp_path: Path, name: object) -> None:
    token = Reaction(body={"access_token": "t", "username": name})
    with serve(sign_in=token) as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()
        assert client.signed_in_as == ""


@pytest.mark.parametrize(
    "answer",
    [
        Reaction(200, b"<html><title>Welcome</title>"), Reaction(200, b""), Reaction(200, {"token": "x"}),
        Reaction(200, {"access_token": 5}), Reaction(200, {"access_token": "a\nb"}), Reaction(200, b"[1]"),
        Reaction(404, b"<html>"), Reaction(400, b"<html><body>nginx"), Reaction(405),
        Reaction(302, headers={"Location": "https://www.sellercloud.com/"}),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_token_doubts_the_address(tmp_path: Path, answer: Reaction) -> None:
    with serve(sign_in=answer) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(StoppedError, match="This is not Sellercloud's API") as caught:
            client.sign_in()
        assert service.base_url in str(caught.value)
        assert "BULKUPDATE_BASE_URL" in str(caught.value.remedy)
        assert len(service.received) == 1


def test_trouble_at_sign_in_is_tried_again_then_the_service_is_down(tmp_path: Path) -> None:
    with serve(sign_in=Reaction(503)) as service, connect(service.base_url, tmp_path, max_attempts=3) as client:
        with pytest.raises(ServiceDownError, match=r"3 times\. The last attempt: 503") as caught:
            client.sign_in()
        assert caught.value.remedy == "Try again when the service is back."
        assert len(service.received) == 3


def test_a_page_with_an_error_status_of_no_gateway_is_another_host(tmp_path: Path) -> None:
    page = Reaction(501, b"<!DOCTYPE html><title>Error response</title>")
    with (
        serve(sign_in=page) as service,
        connect(service.base_url, tmp_path) as client,
        pytest.raises(StoppedError, match=r"answered 501 an HTML page: Error response. This is not Sellercloud's API"),
    ):
        client.sign_in()


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_s_page_may_be_either(tmp_path: Path, status: int) -> None:
    page = Reaction(status, b"<html><title>Bad Gateway</title>")
    with serve(sign_in=page) as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        with pytest.raises(ServiceDownError, match="failed 2 times") as caught:
            client.sign_in()
        assert "BULKUPDATE_BASE_URL" in str(caught.value.remedy)


def test_a_throttling_at_sign_in_is_waited_out(tmp_path: Path) -> None:
    clock = TurnedClock()
    script = in_turn(Reaction(429, headers={"Retry-After": "30"}), Reaction(body={"access_token": "t"}))
    with (
        serve(sign_in=script, clock=clock) as service,
        connect(service.base_url, tmp_path, clock=clock) as client,
    ):
        client.sign_in()
        assert service.received[1].time - service.received[0].time > 30


def test_signing_in_after_the_stop_sends_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with serve() as service, connect(service.base_url, tmp_path, stop=stop) as client:
        with pytest.raises(InterruptedRunError):
            client.sign_in()
        assert client.update_customer("163", BODY).status is Status.NOT_ATTEMPTED
        assert service.received == []


@pytest.mark.parametrize(
    ("value", "life"),
    [(1800, 1800), ("1800", 1800), (59.5, 59.5), (1, 1), (0.99, None),
     (None, None), ("soon", None), (0, None), (-5, None), ([], None),
     (10**400, None), ("nan", None)],
)  # fmt: skip
def test_expires_in_is_read_tolerantly(value: object, life: float | None) -> None:
    """Where it makes no sense the token is trusted until a 401; never one sign-in for each request."""
    assert parse_expires_in(value) == (float("inf") if life is None else life)
