"""The report of a service, what a profile says and derives, and what a throttle answer tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bulkupdate import __version__
from bulkupdate.errors import UsageError
from bulkupdate.runs.tenant.answers import AnswerShape, list_names
from bulkupdate.runs.tenant.facts import FactValue, KnownFact, to_switches
from bulkupdate.runs.tenant.profile import Profile
from bulkupdate.runs.tenant.report import read_switches, write_report
from bulkupdate.runs.tenant.throttle import describe_throttle
from bulkupdate.sellercloud.response import read_response
from bulkupdate.settings import Settings

PROBED = "2026-03-01T08:00:00Z"
BUILD = "2026-01-05T04:30:00"


def make_profile(build: str = BUILD, **facts: FactValue) -> Profile:
    return Profile({name: KnownFact(value, PROBED, build) for name, value in facts.items()})


def test_a_report_holds_facts_and_shapes_and_is_imitated(tmp_path: Path) -> None:
    profile = make_profile(rating_format="code", email_filter="case", read_delay="at once")
    write_report(tmp_path / "FACTS.json", profile, [AnswerShape("list", 200, {"Items[].UserID": "number"})], PROBED)
    text = (tmp_path / "FACTS.json").read_text()
    report = json.loads(text)
    assert list(report) == ["form", "bulkupdate", "written", "facts", "found", "answers"]
    assert (report["form"], report["bulkupdate"], report["written"]) == (1, __version__, PROBED)
    assert report["facts"] == {"email_filter": "case", "read_delay": "at once", "rating_format": "code"}
    assert set(report["found"].values()) == {PROBED}
    [answer] = report["answers"]
    assert (answer["question"], answer["status"], answer["keys"]) == ("list", 200, {"Items[].UserID": "number"})
    assert (len(answer["hash"]), text[-1], '\n "form"' in text) == (16, "\n", True)
    assert read_switches(tmp_path / "FACTS.json") == {"email_filter": "case", "rating_format": "code"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a report"),
        ("[]", "is not a report"),
        ('{"form": 1}', "is not a report"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "FACTS.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_switches(path)


def test_a_report_of_another_form_imitates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "FACTS.json"
    path.write_text(json.dumps({"form": 2, "facts": {"rating_format": "code"}}))
    assert read_switches(path) == {}


@pytest.mark.parametrize(
    ("facts", "switches"),
    [
        ({"list_filter": "ignored", "modified_filter": "filters"}, {"list_filter": False, "modified_filter": True}),
        ({"email_filter": "finds nothing", "phone_filter": "finds no parts"}, {"phone_filter": "exact"}),
        ({"rating_format": "neither", "aliases": "other"}, {}),
        ({"page_size_cap": 30, "token_seconds": "30", "swagger": True}, {"page_size_cap": 30, "swagger": True}),
        ({"throttle_reset": "on the hour", "equal_value": "accepted"}, {"window": "fixed"}),
    ],
)
def test_the_sandbox_imitates_what_it_can(facts: dict[str, FactValue], switches: dict[str, Any]) -> None:
    assert to_switches(facts) == switches


def test_a_profile_says_what_matters_day_by_day() -> None:
    facts = {
        "rating_format": KnownFact("code", "2026-03-02T12:00:00Z", BUILD),
        "empty_string": KnownFact("clears", "2026-03-01T12:00:00Z", BUILD),
        "email_filter": KnownFact("ignored", "2026-03-01T12:00:01Z", ""),
        "texts_changed": KnownFact(["emoji"], "2026-03-01T12:00:00Z", BUILD),
        "build_date": KnownFact("2026-02-02", "2026-03-03T12:00:00Z", ""),
    }
    first, second, last = Profile(facts).describe()
    assert first == (
        "Known since 2026-03-01: <clear> empties a text field of this service. This service's list ignores its e-mail "
        "filter."
    )
    assert second == "Known since 2026-03-02: Ratings are sent by code, as this service refuses names."
    assert last.startswith("The service has changed since it was probed")


@pytest.mark.parametrize(
    ("profile", "is_probed", "is_outdated"),
    [
        (make_profile(), False, False),
        (make_profile(email_filter="case", build_date="2026-02-02"), False, False),
        (make_profile(equal_value="accepted", build_date=BUILD), True, False),
        (make_profile(equal_value="accepted", build_date="2026-02-02"), True, True),
        (make_profile(equal_value="accepted"), True, False),
        (make_profile("", equal_value="accepted", build_date="2026-02-02"), True, False),
    ],
)
def test_a_service_rebuilt_since_its_probe_is_to_be_probed_again(
    profile: Profile, is_probed: bool, is_outdated: bool
) -> None:
    assert (profile.is_probed, profile.is_outdated) == (is_probed, is_outdated)


@pytest.mark.parametrize(
    ("value", "settings", "rating_format"),
    [
        ("code", Settings(), "code"),
        ("both", Settings(), "name"),
        ("code", Settings(rating_format="name", given=frozenset({"rating_format"})), "name"),
        ("name", Settings(rating_format="code"), "code"),
    ],
)
def test_a_setting_counts_before_what_is_known(value: str, settings: Settings, rating_format: str) -> None:
    assert make_profile(rating_format=value).derive(settings).rating_format == rating_format


@pytest.mark.parametrize(
    ("time", "reset"),
    [("10:00:00", "on the hour"), ("10:00:00.9", "on the hour"), ("10:00:01", "at another time"),
     ("10:30:00", "at another time"), ("soon", None)],
)  # fmt: skip
def test_a_throttle_answer_is_kept_without_its_values(time: str, reset: str | None) -> None:
    body = json.dumps({"Error": "Too many requests.", "RateLimitResetTime": f"2022-01-14T{time}Z", "a b": 1})
    facts = describe_throttle(read_response(409, {"Retry-After": "5", "Bad name": ""}, body.encode(), 0))
    assert facts == {
        "throttle_status": 409, "throttle_headers": ["retry-after"], "throttle_keys": ["Error", "RateLimitResetTime"],
        **({"throttle_reset": reset} if reset else {}),
    }  # fmt: skip


def test_a_throttle_answer_without_a_body_has_no_keys() -> None:
    assert describe_throttle(read_response(429, {}, b"[1]", 0)) == {
        "throttle_status": 429, "throttle_headers": [], "throttle_keys": [],
    }  # fmt: skip


def test_only_names_of_programs_are_kept() -> None:
    assert list_names(["b", "a" * 60, "a" * 61, "an na", "1a", "_x.y-$", 5]) == ["_x.y-$", "a" * 60, "b"]
