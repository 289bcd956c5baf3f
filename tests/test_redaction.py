"""Passwords, tokens and customers' data are never shown, in whatever encoding the service repeats them."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import traceback
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from bulkupdate.errors import StoppedError
from bulkupdate.redaction import SHORTEST, Redactor
from bulkupdate.sellercloud.transport import NoReplyError, Request
from bulkupdate.sellercloud.update_result import UpdateResult
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
        answer: UpdateResult = client.update_customer("163", BODY)
        shown = [repr(client), repr(vars(client)), repr(vars(client.pipeline)), repr(answer), caplog.text]
        if answer.stop is not None:
            shown.append("".join(traceback.format_exception(answer.stop)))
        with pytest.raises(StoppedError) as caught:
            client.read_customer("163")
        shown.append("".join(traceback.format_exception(caught.value)))
        shown.append(repr(client.pipeline._sign_in._token))
        shown += [each.read_bytes().decode("latin-1") for each in tmp_path.iterdir()]
    for text in shown:
        assert_shows_no_secret(text)
        assert "only for the service" not in text


def test_the_cause_of_an_error_holds_on_to_no_request(tmp_path: Path) -> None:
    """It would keep the token and the body alive, for whoever prints the objects of a traceback."""
    with serve(Reaction(0)) as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()
        with pytest.raises(NoReplyError) as caught:
            client.pipeline._transport.send(Request("PUT", f"{service.base_url}/Customers/1", BODY, TOKEN))
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


Encode = Callable[[str], str]
BEFORE, AFTER = "Cannot take the value: ", " (see the manual)"


def to_lower_hex(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def to_entities(template: str) -> Encode:
    """As .NET writes them: the signs of HTML, and all that is no ASCII."""
    return lambda text: re.sub("[^ -%(-;=?-~]", lambda found: template.format(ord(found[0])), text)


def to_units(text: str, kept: str, template: str) -> str:
    """UTF-16 units for all but the characters kept."""
    units = (each.encode("utf-16-be") for each in text)
    spelled = (
        "".join(template.format(int.from_bytes(each[at : at + 2])) for at in (0, 2)[: len(each) // 2]) for each in units
    )
    return "".join(char if char in kept else code for char, code in zip(text, spelled, strict=True))


def in_base64(before: str, after: str, encode: Callable[[bytes], bytes], encoding: str = "utf-8") -> Encode:
    def pack(text: str) -> str:
        return encode(f"{before}{text}{after}".encode(encoding, "replace")).decode().strip()

    return pack


LETTERS = "".join(map(chr, [*range(48, 58), *range(65, 91), *range(97, 123)]))
ENCODINGS: dict[str, Encode] = {
    "raw": str,
    "urllib": quote,
    "all of a URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "encodeURIComponent": lambda text: quote(text, safe="!'()*~"),
    "encodeURI": lambda text: quote(text, safe="!'()*~;/?:@&=+$,#"),
    "HttpUtility.UrlEncode": lambda text: to_lower_hex(quote_plus(text, safe="!*()")),
    "every byte": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "twice in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "html": html.escape,
    "html in Python": lambda text: html.escape(text, quote=False),
    "HtmlEncode": to_entities("&#{};"),
    "hexadecimal entities": to_entities("&#x{:X};"),
    "named": lambda text: (
        text.replace("&", "&amp;").replace("é", "&eacute;").replace("'", "&apos;").replace("+", "&plus;")
    ),
    "json": lambda text: json.dumps(text)[1:-1],
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "System.Text.Json": lambda text: to_units(text, LETTERS + " -_.!", "\\u{:04X}"),
    "units": lambda text: to_units(text, "", "\\u{:04x}"),
    "escape": lambda text: to_units(text, LETTERS, "%u{:04X}"),
    "json twice": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "base64": in_base64("", "", base64.b64encode),
    "base64 for URLs": in_base64("", "", base64.urlsafe_b64encode),
    "without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "Basic": in_base64("user:", "", base64.b64encode),
    "Basic in Latin-1": in_base64("us:", "\n", base64.b64encode, "latin-1"),
    "aligned to 1": in_base64("x", "yy", base64.b64encode),
    "aligned to 2": in_base64("xx", "y", base64.urlsafe_b64encode),
    "body in base64": lambda text: base64.b64encode(
        json.dumps({"Username": "o@x.com", "Password": text}).encode()
    ).decode(),
    "lines of base64": in_base64("x" * 70, "y" * 70, base64.encodebytes),
    "hexadecimal": lambda text: text.encode().hex(),
    "UTF-16 in base64": in_base64("", "", base64.b64encode, "utf-16-le"),
    "UTF-16 in hexadecimal": lambda text: text.encode("utf-16-be").hex(),
    "UTF-16 read as bytes": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "code points": lambda text: "".join(f"\\u{{{ord(each):x}}}" for each in text),
    "quoted-printable": lambda text: "".join(
        each if each in LETTERS else "".join(f"={byte:02X}" for byte in each.encode()) for each in text
    ),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "entities without semicolon": lambda text: re.sub("[^ -~](?![0-9;])", lambda found: f"&#{ord(found[0])}", text),
    "other case": lambda text: "".join(each.swapcase() if each.isascii() else each for each in text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
}


def redact(secret: str, text: str) -> str:
    redactor = Redactor()
    redactor.learn(secret)
    return redactor.redact(text)


_HIDDEN_BLANK = re.compile("^%(20|09|a0)|%(20|09|a0)$")
"""A blank at an end that only decoding shows: it may be taken out together with the one beside it."""
SECRETS = st.text(st.sampled_from("abcXYZ019é!'&<>+/ \"%\\;#=u-_.ß€😀"), min_size=SHORTEST, max_size=14).filter(
    lambda secret: len(secret.strip()) >= SHORTEST and not _HIDDEN_BLANK.search(secret)
)


@pytest.mark.parametrize("name", ENCODINGS)
@given(SECRETS)
@example("hunter2-é!secret")
@example("O'Brien&<x>+/1")
@example("%41%42'&amp;")
def test_a_secret_is_taken_out_in_this_encoding(name: str, secret: str) -> None:
    if name == "Basic in Latin-1" and not secret.isascii():
        secret = secret.encode("latin-1", "ignore").decode("latin-1") + "pass"
    assert redact(secret, BEFORE + ENCODINGS[name](secret) + AFTER) == f"{BEFORE}[secret]{AFTER}"


AMBIGUOUS = "Latin|read as|entities without|other case|UTF-16"
"""Encodings that cannot be undone in any order."""


@given(
    SECRETS,
    st.lists(
        st.sampled_from([each for each in ENCODINGS if not re.search(AMBIGUOUS, each)]),
        min_size=2,
        max_size=3,
    ),
)
@example("00ßé", ["named", "octal"])
@example("00<\\", ["html", "urllib", "body in base64"])
@example("00<\\", ["json", "html", "html", "urllib", "body in base64"])
def test_a_secret_is_taken_out_in_encodings_within_each_other(secret: str, names: list[str]) -> None:
    text = secret
    for name in names:
        text = ENCODINGS[name](text)
    assert redact(secret, BEFORE + text + AFTER) == f"{BEFORE}[secret]{AFTER}"


@given(st.text(max_size=200), st.text(min_size=SHORTEST, max_size=20))
def test_any_text_goes_through_without_an_exception(text: str, secret: str) -> None:
    redacted = redact(secret, text)
    assert secret not in redacted.replace("[secret]", "") or "[secret]" in secret


@pytest.mark.parametrize("odd", ["\ud800abc", "&#99999999;", "&#x110000;", "%ff%fe%zz", "\\ud83d", "%", "&;", "=" * 50])
def test_what_is_no_escape_stays_as_it_is(odd: str) -> None:
    assert redact("secret-1", f"{odd} and secret-1") == f"{odd} and [secret]"
    assert redact(odd + "secret", f"before {odd}secret") == "before [secret]"


@pytest.mark.parametrize(
    "message",
    [
        "The customer's e-mail is not valid: anna@example.com",
        "Invalid. c.Email: no @; the request 0HMVD9S1Q2K7J:00000002 failed at 2026-11-24T04:10:55Z",
        "a redirect to https://xx.api.sellercloud.com/rest/api/Customers/163?view=all%20of%20it&amp;page=1",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvdGhlciJ9.c2lnbmF0dXJlLW9mLWFub3RoZXI",
        "Für Zürich: „Müller & Söhne“ \\u00e9 &eacute; 日本語",
    ],
)
def test_an_ordinary_message_stays_as_it_is(message: str) -> None:
    assert redact("p/s+w ö&=rd'1", message) == message


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_password_repeated_by_the_service_is_not_shown(tmp_path: Path, name: str) -> None:
    password = "p/s+w ö&=rd'1"
    echoed = Reaction(400, f"cannot take {ENCODINGS[name](password)} here")
    with serve(echoed) as service, connect(service.base_url, tmp_path) as client:
        assert client.update_customer("163", "{}").message == "cannot take [secret] here"
