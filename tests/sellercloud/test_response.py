"""What an answer means, whatever its bytes are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkupdate.sellercloud.error_message import LONGEST_MESSAGE, host_of_redirect, sanitize_message
from bulkupdate.sellercloud.requested_wait import parse_reset_time, parse_retry_after
from bulkupdate.sellercloud.response import ApiResponse, Verdict, read_response

NOW = 1_642_153_000.0  # 2022-01-14T09:36:40Z
DATE = "Fri, 14 Jan 2022 09:36:40 GMT"


def read(status: int, body: object = b"", headers: dict[str, str] | None = None, now: float = NOW) -> ApiResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_response(status, headers or {}, data, now)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"", Verdict.ACCEPTED),
        (204, b"", Verdict.ACCEPTED),
        (200, b"{broken", Verdict.ACCEPTED),
        (299, b"{broken", Verdict.UNCLEAR),
        *((status, b"", Verdict.REFUSED) for status in (400, 403, 404, 405, 409, 413, 415, 422, 418, 301, 302, 307)),
        *((status, b"", Verdict.TRANSIENT) for status in (408, 425, 500, 502, 503, 504, 599)),
        (401, b"", Verdict.UNAUTHORIZED),
        (429, b"", Verdict.THROTTLED),
        (500, {"Message": "Customer 7 not found"}, Verdict.REFUSED),
        (503, {"Message": "Customer 7 not found"}, Verdict.TRANSIENT),
        (500, {"Message": "It does not exist."}, Verdict.REFUSED),
        (600, b"", Verdict.REFUSED),
        (199, b"", Verdict.REFUSED),
        (200, {"Message": "Try again: it is busy"}, Verdict.ACCEPTED),
        (202, {"Success": False, "Message": "It is busy, retry"}, Verdict.TRANSIENT),
        (300, {"Success": False, "Message": "It is busy, retry"}, Verdict.REFUSED),
        (400, {"Message": "It is busy, retry"}, Verdict.REFUSED),
        (200, {"RateLimitResetTime": "2022-01-14T09:38:49Z"}, Verdict.THROTTLED),
        (400, {"Message": "Wait.", "RateLimitResetTime": "soon"}, Verdict.THROTTLED),
        (400, {"Message": "Wait.", "RateLimitResetTime": ""}, Verdict.REFUSED),
        (409, {"Error": "Too many requests.", "RateLimitResetTime": None}, Verdict.THROTTLED),
        (409, {"Message": "conflict", "RateLimitResetTime": None}, Verdict.REFUSED),
        (409, {"Error": "Too many requests.", "RateLimitResetTime": "soon"}, Verdict.THROTTLED),
        (409, {"ErrorMessage": "The e-mail is in use"}, Verdict.REFUSED),
    ],
)
def test_status_and_body_give_the_verdict(status: int, body: object, verdict: Verdict) -> None:
    assert read(status, body).verdict is verdict


@pytest.mark.parametrize(
    ("body", "is_accepted"),
    [
        ({"Status": 399}, True), ({"StatusCode": 400}, False), ({"status": 599}, False), ({"status": 600}, True),
        ({"status": "500"}, True), ({"Is Success": "no"}, False), ({"is_success": "yes"}, True), ({"x": 400}, True),
        ({"Errors": ["none", "No errors."]}, True), ({"Errors": ["", "in use"]}, False), ({"HasError": 1}, False),
        ({"Errors": {"Email": []}, "Error": "OK"}, True), ([{"Success": False}], True), ("Failed to save", False),
        (b'{"Success": "false" broken', False), (b'{"Success": true, broken', True), (b"Exception: x", False),
        ({"Errors": [[[[[0]]]]]}, True), ({"Errors": [[[[[[0]]]]]]}, False),
    ],
)  # fmt: skip
def test_what_a_body_says_about_success_counts_more_than_200(body: object, is_accepted: bool) -> None:
    assert read(200, body).verdict is (Verdict.ACCEPTED if is_accepted else Verdict.REFUSED)


@pytest.mark.parametrize(
    ("status", "message", "is_not_found"),
    [
        (404, "", True), (404, "No such page", True), (400, "Customer NOT FOUND.", True), (500, "x not found", True),
        (400, "It does not exist", True), (403, "Customer not found", False), (503, "Customer not found", False),
        (400, "It is locked", False),
    ],
)  # fmt: skip
def test_who_is_not_found_is_known_by_status_and_message(status: int, message: str, is_not_found: bool) -> None:
    assert read(status, {"Message": message}).is_not_found is is_not_found


def test_the_answer_is_kept_with_the_names_of_its_headers() -> None:
    reply = read(503, {"Message": "busy", "Wait": 2.50}, {"X-B": "1", "Date": DATE, "Retry-After": "5"}, NOW - 60)
    assert (reply.header_names, reply.clock_offset) == (("date", "retry-after", "x-b"), 60.0)
    assert (reply.asks_to_wait, reply.wait_seconds, reply.is_html, str(reply.json["Wait"])) == (True, 5.0, False, "2.5")
    assert repr(reply) == "ApiResponse(TRANSIENT, 503, 'busy')"
    assert (read(200, {"a": 1}, {"B": "", "A": ""}).header_names, read(200).clock_offset) == (("a", "b"), None)
    assert (read(200).asks_to_wait, read(200).is_not_found, read(200).wait_seconds) == (False, False, None)
    assert [read(status, b" <HTML>").is_html for status in (200, 400)] == [True, True]


def test_a_note_follows_the_message_or_the_status() -> None:
    assert read(400, {"Message": "no"}).with_note("cut").message == "no; cut"
    assert read(200).with_note("cut").message == "answered 200, but cut"


def test_an_unclear_answer_quotes_the_service() -> None:
    assert read(202, {"Message": "Queued"}).message == "which does not say whether the update was carried out: Queued"
    assert read(202).message == "which does not say whether the update was carried out"


def test_a_secret_in_the_service_s_words_is_removed() -> None:
    reply = read_response(400, {}, b"the token abc", NOW, lambda text: text.replace("abc", "***"))
    assert reply.message == "the token ***"


@pytest.mark.parametrize("length", [LONGEST_MESSAGE, LONGEST_MESSAGE + 1])
def test_a_message_is_cut_to_300_characters(length: int) -> None:
    assert LONGEST_MESSAGE == 300
    assert read(400, {"Message": "x" * length}).message == ("x" * 300 if length == 300 else "x" * 299 + "…")


def test_a_409_with_retry_after_is_a_throttling() -> None:
    reply = read(409, b"", {"Retry-After": "7"})
    assert (reply.verdict, reply.wait_seconds) == (Verdict.THROTTLED, 7.0)


def test_an_html_page_with_200_is_accepted_and_said() -> None:
    assert read(200, b"  <!DOCTYPE html><html>").message == "answered 200 with an HTML page"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Error": "g", "error_description": "f", "Title": "e", "Message": "c", "ErrorMessage": "a"}, "a"),
        ({"Message": "c", "ExceptionMessage": "b"}, "b"),
        ({"error": "d", "Title": "e"}, "d"),
        ({"Title": "e", "error_description": "f"}, "e"),
        ({"error_description": "f", "detail": "x"}, "f"),
        ({"Error": "g"}, "g"),
        ({"error": {"message": "nested"}}, "nested"),
        ({"Message": "", "ErrorMessage": None, "Title": "e"}, "e"),
        ({"Message": "Invalid.", "ModelState": {"c.Email": ["no @", "too long"]}}, "Invalid. c.Email: no @, too long"),
        ({"title": "Bad", "errors": {"Name": ["needed"]}}, "Bad. Name: needed"),
        ({"Errors": ["one", "two"]}, "one, two"),
        ({"Message": "Invalid. ", "Errors": {"a": "b.", "c": ""}, "ModelState": ["d"]}, "Invalid. d. a: b"),
        ({"Errors": ["1", "2", "3", "4", "5", "6"]}, "1, 2, 3, 4, 5"),
        ({"Error": {"error": {"error": {"message": "deep"}}}}, "deep"),
        ({"Error": {"error": {"error": {"error": {"message": "too deep"}}}}, "Title": "t"}, "t"),
        ({"Error": [[[["too deep"]]]], "Title": "t"}, "t"),
        ({"Error": [[["deep"]]]}, "deep"),
        ({"Error": " spaces "}, "spaces"),
        ({"MESSAGE": "first", "message": "second"}, "first"),
        ({"unheard": 1}, '{"unheard": 1}'),
        (["a"], '["a"]'),
        ("just text", "just text"),
        (b"plain\r\n  text\x1b[31m \xe2\x80\xae!", "plain text [31m !"),
        (b"\xff\xfe caf\xe9", "ÿþ café"),
        (b"<html><head><title>Bad &amp; Gateway</title>", "an HTML page: Bad & Gateway"),
        (b"<html><body>x", "an HTML page"),
        (b'\xef\xbb\xbf{"Message": "after a mark"}', "after a mark"),
        (b'{"Message": "\\ud800 half"}', "half"),
        (b"[" * 100_000, "[" * (LONGEST_MESSAGE - 1) + "…"),
        (b"", ""),
    ],
)
def test_the_message_is_looked_for_in_the_documented_order(body: object, message: str) -> None:
    assert read(400, body).message == message


@given(st.integers(100, 999), st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_get_a_verdict_and_one_harmless_line(status: int, body: bytes, header: str) -> None:
    reply = read_response(status, {"Date": header, "Retry-After": header, "Location": header}, body, NOW)
    assert len(reply.message) <= LONGEST_MESSAGE
    assert reply.message.isprintable()
    reply.message.encode()
    assert reply.wait_seconds is None or reply.wait_seconds >= 0


_KEYS = st.sampled_from(["Message", "error", "Errors", "ModelState", "RateLimitResetTime", "x"])
_JSON = st.recursive(
    st.none() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from([400, 409, 429, 500]), _JSON)
def test_any_json_gets_a_verdict(status: int, body: object) -> None:
    assert read(status, body).message.isprintable()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2022-01-14T09:38:49.9856571Z", 1_642_153_129.9856571),
        ("2022-01-14T09:38:49Z", 1_642_153_129.0),
        ("2022-01-14T09:38:49", 1_642_153_129.0),
        ("2022-01-14 11:38:49.5+02:00", 1_642_153_129.5),
        ("2022-01-14T04:38:49-0500", 1_642_153_129.0),
        ("2022-13-14T09:38:49Z", None),
        ("soon", None),
        ("", None),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139.0),
        ("0000-01-01T00:00:00Z", None),
    ],
)
def test_reset_times_with_seven_digits_and_any_zone(text: str, seconds: float | None) -> None:
    assert parse_reset_time(text) == (None if seconds is None else pytest.approx(seconds, abs=1e-4))


@pytest.mark.parametrize(
    ("text", "wait"),
    [("120", 120.0), ("1", 1.0), ("0.5", 0.5), ("0", None), ("Fri, 14 Jan 2022 10:37:40 +0100", 60.0),
     ("-5", None), ("999999", 999_999.0), ("Fri, 14 Jan 2022 09:37:40 GMT", 60.0),
     ("Fri, 14 Jan 2022 08:00:00 GMT", None), ("soon", None), ("", None), ("٣", None)],
)  # fmt: skip
def test_retry_after_as_seconds_and_as_date(text: str, wait: float | None) -> None:
    assert parse_retry_after(text, NOW) == wait


@pytest.mark.parametrize(("ago", "wait"), [(0.5, 0.0), (0.75, 0.0), (1.0, None), (1.5, None)])
def test_a_reset_time_that_passed_on_the_way_is_still_one(ago: float, wait: float | None) -> None:
    reset = {"RateLimitResetTime": "2022-01-14T09:36:40Z"}
    reply = read(429, reset, {}, NOW + ago)
    assert (reply.wait_seconds, reply.asks_to_wait) == (wait, True)


@pytest.mark.parametrize(("off", "offset"), [(0.0, 0.0), (3.0, 0.0), (-3.0, 0.0), (3.5, -3.5), (-3.5, 3.5)])
def test_a_clock_more_than_three_seconds_off_is_not_trusted(off: float, offset: float) -> None:
    assert read(200, b"", {"Date": DATE}, NOW + off).clock_offset == offset


@pytest.mark.parametrize("off", [-7200.0, 0.0, 7200.0])
def test_a_local_clock_that_is_off_does_no_harm(off: float) -> None:
    """Check 21: the wait is measured against the service's own Date."""
    body = {"RateLimitResetTime": "2022-01-14T09:38:40Z"}
    assert read(429, body, {"date": DATE}, NOW + off).wait_seconds == 120.0


def test_a_local_clock_that_agrees_is_used_for_its_fractions() -> None:
    body = {"RateLimitResetTime": "2022-01-14T09:36:42.5Z"}
    assert read(429, body, {"Date": DATE}, NOW + 0.9).wait_seconds == pytest.approx(1.6)


@pytest.mark.parametrize("reset", ["2022-01-14T08:00:00Z", None, "soon", 17, {"a": 1}])
def test_a_useless_reset_time_asks_to_wait_without_saying_how_long(reset: object) -> None:
    reply = read(409, {"Error": "Too many requests.", "RateLimitResetTime": reset}, {"Date": DATE})
    assert (reply.asks_to_wait, reply.wait_seconds) == (True, None)


def test_retry_after_helps_out_where_the_reset_time_is_useless() -> None:
    assert read(429, {"RateLimitResetTime": None}, {"Retry-After": "9"}).wait_seconds == 9.0


def test_a_redirect_names_the_host_only() -> None:
    reply = read(302, b"", {"Location": "https://user:pw@evil.example/path?token=abc"})
    assert reply.message == "a redirect to evil.example, which is never followed"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("//else.example/x", "else.example"), ("HTTPS://else.example?x", "else.example"),
        ("/login", "another path of the same host"), ("https://" + "x" * 400, "x" * 299 + "…"),
    ],
)  # fmt: skip
def test_the_host_of_a_redirect(location: str, host: str) -> None:
    assert host_of_redirect(location) == host


def test_text_from_outside_is_one_short_line() -> None:
    assert sanitize_message(" a\r\n\tb " + " " * 5000 + "c") == "a b c"


@pytest.mark.parametrize(("status", "is_redirect"), [(299, False), (300, True), (399, True), (400, False)])
def test_only_a_redirect_names_where_to(status: int, is_redirect: bool) -> None:
    message = read(status, {"Message": "Failed", "Error": "x"}, {"Location": "https://else.example"}).message
    assert ("a redirect to else.example" in message) is is_redirect


@pytest.mark.parametrize(
    ("body", "is_html"),
    [
        (b"<!DOCTYPE html>", True), (b"\xef\xbb\xbf\r\n\t <HEAD>", True), (b"<body>", True),
        (b"<!-- x --><html>", True), (b"plain", False), (b"", False),
    ],
)  # fmt: skip
def test_what_a_page_begins_with(body: bytes, is_html: bool) -> None:
    assert read(500, body).is_html is is_html


def test_a_reply_shows_no_body() -> None:
    assert "4111" not in repr(read(200, b'{"CardNumber": "4111"}'))
