"""Check 32: password, token and customers' data show nowhere, though the service may repeat them."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import requests

from bulkupdate.errors import StoppedError
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.transport import NoReplyError, Request
from bulkupdate.sellercloud.update_result import Answer
from tests.sellercloud.scripted import PASSWORD, TOKEN, Reaction, Received, connect, serve

BODY = '{"Comments": "only for the service"}'


def forms_of(secret: str) -> list[str]:
    return [
        secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(), base64.b64encode(secret.encode()).decode().rstrip("="),
    ]  # fmt: skip


ALL_FORMS = forms_of(PASSWORD) + forms_of(TOKEN)


def assert_shows_no_secret(text: str) -> None:
    for form in ALL_FORMS:
        assert form not in text


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_what_the_service_repeats_is_taken_out(tmp_path: Path, status: int, as_json: bool) -> None:
    text = " | ".join(ALL_FORMS)
    echo = Reaction(status, {"Message": text} if as_json else text)
    with serve(echo) as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        answer = client.update_customer("163", BODY)
        assert_shows_no_secret(f"{answer!r} {answer.message} {answer.stop}")
        assert "[secret]" in answer.message


def test_a_login_repeated_by_the_service_is_taken_out(tmp_path: Path) -> None:
    def echo(request: Received) -> Reaction:
        return Reaction(400, {"Message": f"cannot take {request.body.decode()}"})

    with serve(sign_in=echo) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(StoppedError) as caught:
            client.sign_in()
        assert_shows_no_secret("".join(traceback.format_exception(caught.value)))


def test_a_secret_at_the_place_where_a_message_is_cut_shows_no_part_of_itself(tmp_path: Path) -> None:
    with (
        serve(Reaction(400, {"Message": "x" * 295 + TOKEN})) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        assert TOKEN[:4] not in client.update_customer("163", BODY).message


@pytest.mark.parametrize(
    "trouble", [Reaction(0), Reaction(503), Reaction(400), Reaction(401), Reaction(200, b"<html>")]
)
def test_tracebacks_logs_and_reprs_hold_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: Reaction
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(trouble) as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        answer: Answer = client.update_customer("163", BODY)
        shown = [repr(client), repr(vars(client)), repr(vars(client._exchange)), repr(answer), caplog.text]
        if answer.stop is not None:
            shown.append("".join(traceback.format_exception(answer.stop)))
        with pytest.raises(StoppedError) as caught:
            client.read_customer("163")
        shown.append("".join(traceback.format_exception(caught.value)))
        shown.append(repr(client._exchange._sign_in._token))
        shown += [each.read_bytes().decode("latin-1") for each in tmp_path.iterdir()]
    for text in shown:
        assert_shows_no_secret(text)
        assert "only for the service" not in text


def test_the_cause_of_an_error_holds_on_to_no_request(tmp_path: Path) -> None:
    """It would keep the token and the body alive, for whoever prints the objects of a traceback."""
    with serve(Reaction(0)) as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()
        with pytest.raises(NoReplyError) as caught:
            client._exchange._transport.send(Request("PUT", f"{service.base_url}/Customers/1", BODY, TOKEN))
        cause = caught.value.__cause__
        assert isinstance(cause, requests.RequestException)
        assert (cause.request, cause.response) == (None, None)


def test_a_request_shows_neither_token_nor_body() -> None:
    shown = repr(Request("PUT", "https://x/rest/api/Customers/1", BODY, TOKEN))
    assert shown == "Request(PUT https://x/rest/api/Customers/1)"


def test_a_very_short_secret_garbles_no_message() -> None:
    redactor = Redactor()
    redactor.learn("a")
    assert redactor.redact("a plain message") == "a plain message"
    assert repr(redactor) == "Redactor(…)"
