"""One request, sent once, whatever its outcome: what probes of a service see."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest

from bulkupdate.errors import InterruptedRunError, SignInRefusedError
from bulkupdate.sellercloud.single_request import send_once
from tests.sellercloud.scripted import TOKEN, Reaction, TurnedClock, connect, in_turn, serve, throttled


@pytest.mark.parametrize(
    ("answer", "status", "may_be_applied", "description"),
    [
        (Reaction(200), 200, True, "200"),
        (Reaction(503, {"Message": "busy"}), 503, True, "503 busy"),
        (Reaction(404, {"Message": "no such customer"}), 404, False, "404 no such customer"),
        (Reaction(0), None, True, "the connection broke before an answer came"),
    ],
)
def test_the_first_outcome_is_told(
    tmp_path: Path, answer: Reaction, status: int | None, may_be_applied: bool, description: str
) -> None:
    with serve(answer) as service, connect(service.base_url, tmp_path) as client:
        result = send_once(client, "PUT", f"{service.base_url}/Customers/163", "{}")
        assert (result.status, result.may_be_applied, result.description) == (status, may_be_applied, description)
        assert (None if result.response is None else result.response.status) == status
        assert [(each.body, each.headers["Authorization"]) for each in service.puts] == [(b"{}", f"Bearer {TOKEN}")]


def test_another_token_is_sent_as_it_is_and_its_refusal_is_an_answer(tmp_path: Path) -> None:
    with serve(Reaction(401)) as service, connect(service.base_url, tmp_path) as client:
        result = send_once(client, "GET", f"{service.base_url}/Customers/163", token="made-up")
        assert result.status == 401
        assert [each.headers["Authorization"] for each in service.received] == ["Bearer made-up"]


def test_a_sign_in_is_sent_without_a_token(tmp_path: Path) -> None:
    with serve(sign_in=Reaction(400, {"Message": "no"})) as service, connect(service.base_url, tmp_path) as client:
        assert send_once(client, "POST", f"{service.base_url}/token", "{}").description == "400 no"
        [sent] = service.received
        assert ("Authorization" in sent.headers, sent.body) == (False, b"{}")


def test_a_throttling_is_waited_out_and_the_first_one_kept(tmp_path: Path) -> None:
    clock = TurnedClock()
    script = in_turn(throttled(429, "soon"), throttled(409, "soon"), Reaction(200))
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        assert client.pipeline.first_throttle is None
        assert send_once(client, "GET", f"{service.base_url}/Customers/163").status == 200
        assert client.pipeline.first_throttle is not None
        assert client.pipeline.first_throttle.status == 429


def test_a_token_refused_twice_ends_all(tmp_path: Path) -> None:
    with serve(Reaction(401)) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(SignInRefusedError):
            send_once(client, "GET", f"{service.base_url}/Customers/163")
        assert len(service.sign_ins) == 2


def test_after_the_stop_nothing_is_sent(tmp_path: Path) -> None:
    stop = threading.Event()
    with serve() as service, connect(service.base_url, tmp_path, stop=stop) as client:
        stop.set()
        with pytest.raises(InterruptedRunError, match="Stopped before the next request"):
            send_once(client, "GET", f"{service.base_url}/Customers/163", token="made-up")
        assert service.received == []


@pytest.mark.parametrize(("named", "seconds"), [({"expires_in": 1800}, 1800.0), ({}, math.inf)])
def test_the_life_of_the_token_is_known(tmp_path: Path, named: dict[str, int], seconds: float) -> None:
    token = Reaction(body={"access_token": "t", **named})
    with serve(sign_in=token) as service, connect(service.base_url, tmp_path) as client:
        assert client.pipeline.token_seconds == seconds


def test_secrets_can_be_removed_from_a_text(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()
        assert TOKEN not in client.pipeline.redact(f"the token is {TOKEN}")


def test_no_request_is_sent_once_the_run_is_asked_to_stop(tmp_path: Path) -> None:
    with serve(Reaction(200)) as service:
        stop = threading.Event()
        with connect(service.base_url, tmp_path, stop=stop) as client:
            client.sign_in()
            stop.set()
            with pytest.raises(InterruptedRunError, match="the next request"):
                send_once(client, "PUT", f"{service.base_url}/Customers/163", "{}")
        assert not service.puts
