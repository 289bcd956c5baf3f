"""A secret is taken out in whatever usual encoding, or encodings within each other, a service repeats it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulkupdate.redaction import SHORTEST, Redactor
from tests.sellercloud.scripted import Reaction, connect, serve

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
}


def redact(secret: str, text: str) -> str:
    redactor = Redactor()
    redactor.learn(secret)
    return redactor.redact(text)


SECRETS = st.text(st.sampled_from("abcXYZ019é!'&<>+/ \"%\\;#=u-_.ß€😀"), min_size=SHORTEST, max_size=14).filter(
    lambda secret: len(secret.strip()) >= SHORTEST
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


@given(SECRETS, st.lists(st.sampled_from([each for each in ENCODINGS if "Latin" not in each]), min_size=2, max_size=3))
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
