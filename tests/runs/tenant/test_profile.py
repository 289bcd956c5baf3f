"""What is known of a service decides how it is spoken to, unless a setting says otherwise."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.runs.context import open_context
from bulkupdate.runs.matching.key import find_key
from bulkupdate.runs.matching.search import make_search
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.profile import load_profile
from bulkupdate.runs.tenant.profile_store import find_profile, note_team
from bulkupdate.runs.tenant.throttle import describe_throttle
from bulkupdate.sellercloud.response import read_response
from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.conftest import FIRST, Program, read_results, write_csv
from tests.postgres import only_files
from tests.runs.in_process import Driver
from tests.runs.tenant.probing import make_settings

PROBED = "2026-03-01T08:00:00Z"


def keep(sandbox: Any, folder: Any, facts: Facts, now: str = PROBED) -> None:
    with open_context(make_settings(sandbox, folder), Clock(), threading.Event()) as context:
        context.journal.keep_facts(context.host, facts, now)


def send_rating(program: Program, **settings: object) -> tuple[dict[str, int], str]:
    """The counts of a run that sets a rating, and what it says."""
    sheet = write_csv(program.folder / "customers.csv", [["CustomerId", "Rating"], [FIRST, "Satisfied"]])
    answer = program("run", sheet, "--yes", "-o", program.folder / "results.csv", "--force", **settings)
    return answer.counts, answer.err


@pytest.mark.long
def test_a_service_that_takes_codes_only_gets_them_once_that_is_known_and_a_setting_counts_before(
    make_sandbox, tmp_path, warm_program
):
    sandbox = make_sandbox(rating_format="code")
    program = Program(sandbox.base_url, tmp_path, warm_program)
    assert send_rating(program)[0] == {"rejected": 1}
    keep(sandbox, tmp_path, {"rating_format": "code", "equal_value": "accepted", "build_date": "2026-01-05T04:30:00"})
    counts, err = send_rating(program)
    assert counts == {"updated": 1}
    assert "Known since 2026-03-01: Ratings are sent by code, as this service refuses names." in err
    assert send_rating(program, rating_format="name")[0] == {"rejected": 1}
    assert read_results(tmp_path / "results.csv")[0]["Status"] == "rejected"
    assert "Known since 2026-03-01: Ratings are sent by code, as this service refuses names." in program("retry").err
    keep(sandbox, tmp_path, {"build_date": "2026-04-01T00:00:00"})
    assert "The service has changed since it was probed: probe it again." in send_rating(program)[1]
    assert "probed" not in program("doctor").err  # the sandbox says when it was built
    keep(sandbox, tmp_path, {"equal_value": "accepted", "build_date": "2025-01-01T00:00:00"})
    assert "The service has changed since it was probed: probe it again." in program("doctor").err


@only_files
def test_a_journal_that_cannot_be_read_stops_no_check(sandbox, tmp_path):
    keep(sandbox, tmp_path, {"rating_format": "code"})
    settings = make_settings(sandbox, tmp_path)
    (settings.state_dir / JOURNAL_NAME).write_bytes(b"no database" * 1000)
    assert load_profile(settings).facts == {}


def test_a_service_known_by_its_team_alone_is_recognised_without_a_request(sandbox, tmp_path):
    settings = replace(make_settings(sandbox, tmp_path), base_url="", team="sandbox")
    assert load_profile(settings).facts == {}
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        context.journal.keep_facts(context.host, {"rating_format": "code"}, PROBED)
        note_team(context.journal, settings, context.host, PROBED)
    assert load_profile(settings).derive(settings).rating_format == "code"
    assert load_profile(replace(settings, team="another")).facts == {}
    assert not sandbox.requests


@pytest.mark.parametrize("named", [{"base_url": "http://127.0.0.1:9/rest/api"}, {"server_id": "cwa"}, {"team": ""}])
def test_only_a_service_named_by_its_team_alone_is_noted(sandbox, tmp_path, named):
    settings = replace(make_settings(sandbox, tmp_path), **{"base_url": "", "team": "sandbox", **named})
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        note_team(context.journal, settings, context.host, PROBED)
        assert context.journal.select("SELECT count(*) FROM facts") == [(0,)]


@pytest.mark.parametrize(
    ("facts", "is_trusted"),
    [
        ({"modified_shows": True, "modified_filter": "filters"}, True),
        ({"modified_shows": True, "modified_filter": "filters", "total_results": "half"}, False),
        ({"modified_shows": True, "modified_filter": "ignored"}, False),
        ({"modified_shows": False, "modified_filter": "filters"}, False),
        ({"modified_shows": True}, False),
    ],
)
def test_the_list_of_the_modified_is_trusted_only_if_it_filters_and_shows_updates(sandbox, tmp_path, facts, is_trusted):
    keep(sandbox, tmp_path, facts)
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        assert context.settings.trust_modified_filter is is_trusted
        assert context.client.list_filters_ids


def test_a_list_known_to_ignore_ids_is_not_asked_for_them(make_sandbox, tmp_path):
    sandbox = make_sandbox(list_filter=False)
    keep(sandbox, tmp_path, {"list_filter": "ignored"})
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        assert len(context.client.list_customers([str(FIRST), str(FIRST + 1)])) == 2
    assert {each.kind for each in sandbox.requests} == {"token", "read"}


def test_an_email_filter_known_to_be_ignored_is_not_asked(make_sandbox, tmp_path):
    sandbox = make_sandbox(customers=60, email_filter="ignored")
    keep(sandbox, tmp_path, {"email_filter": "ignored"})
    email = sandbox.customer(FIRST)["Email"]
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        search = make_search(context, find_key("Email", {}), [email.casefold()])
        assert search.begin() == 1
        assert [each.customer_id for each in search.run(lambda *_: None)[email.casefold()]] == [str(FIRST)]
    assert not [each for each in sandbox.requests if "model.email" in each.query]


def test_a_run_that_is_throttled_keeps_how(make_sandbox, tmp_path):
    plan: Any = lambda request: "throttle-429" if request.kind == "write" and request.number == 1 else None  # noqa: E731
    sandbox = make_sandbox(plan=plan, throttle_seconds=0.0)
    driver = Driver(sandbox.base_url, tmp_path)
    sheet = write_csv(tmp_path / "customers.csv", [["CustomerId", "Name"], [FIRST, "x"]])
    driver.execute_run(driver.begin(sheet))
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        profile = find_profile(context.journal, context.host)
    assert profile.find("throttle_status") == 429
    assert profile.find("throttle_keys") == ["Error", "RateLimitResetTime"]
    assert "content-type" in (profile.find("throttle_headers") or ())


@pytest.mark.parametrize(
    ("time", "reset"), [("10:00:00.0000000Z", "on the hour"), ("09:38:49.9856571Z", "at another time")]
)
def test_a_quota_of_fixed_hours_is_seen_by_its_reset(time, reset):
    body = f'{{"Error": "Too many requests.", "RateLimitResetTime": "2022-01-14T{time}"}}'
    assert describe_throttle(read_response(409, {"Date": "x"}, body.encode(), 0))["throttle_reset"] == reset
