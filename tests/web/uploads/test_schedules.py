"""Starts at a later time: what a time in a form means, and what becomes of one when the server is restarted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bulkupdate.redaction import Secret
from bulkupdate.web.accounts.sessions import AcceptedLogin, Session, Sessions
from bulkupdate.web.uploads.schedules import GRACE_SECONDS, Schedule, Schedules, parse_local_time
from bulkupdate.web.uploads.upload_store import Uploads
from tests.web.conftest import MADE_ID
from tests.web.manual_clock import ManualClock

HOST = "api.example.com"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server in a zone with summer time."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-28T22:00", "2026-03-28T22:00+01:00"),
        ("2026-03-29T03:30", "2026-03-29T03:30+02:00"),
        ("2026-04-11T11:59", "2026-04-11T11:59+02:00"),
    ],
)
def test_a_time_is_that_of_the_server(berlin: None, text: str, at: str) -> None:
    assert parse_local_time(text, seconds("2026-03-28T12:00+01:00")) == seconds(at)


def test_of_an_hour_that_comes_twice_the_first_is_meant(berlin: None) -> None:
    assert parse_local_time("2026-10-25T02:30", seconds("2026-10-24T12:00+02:00")) == seconds("2026-10-25T02:30+02:00")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Choose a day"),
        ("tomorrow", "Choose a day"),
        ("2099-12-31T23:59", "more than 14 days"),
        ("2026-03-28T12:00", "has passed"),
        ("1999-01-01T00:00", "has passed"),
        ("2026-03-29T02:30", "the clocks go forward"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(berlin: None, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_local_time(text, seconds("2026-03-28T12:00+01:00"))


def make_session(clock: ManualClock, name: str = "anna") -> Session:
    return Sessions(clock, 1800).open(AcceptedLogin(name, name, Secret("geheim & 100%"), HOST))


def make_schedule(clock: ManualClock, after: float) -> Schedule:
    return Schedule(MADE_ID, clock.now() + after, "anna", HOST, "plan", {"limit": None})


def test_a_schedule_is_taken_once_and_survives_a_restart_without_its_password(tmp_path: Path) -> None:
    clock = ManualClock()
    schedules = Schedules(Uploads(tmp_path, clock), clock)
    schedules.set(make_schedule(clock, 600), make_session(clock))
    assert schedules.take_due() == []
    assert "geheim" not in (tmp_path / "uploads" / MADE_ID / "schedule.json").read_text()

    restarted = Schedules(Uploads(tmp_path, clock), clock)
    shown = restarted.describe(MADE_ID)
    assert shown is not None
    assert not shown.has_login
    restarted.add_login(make_session(clock, "bert"))
    clock.time += 600
    assert restarted.take_due() == []
    restarted.add_login(make_session(clock))
    assert [schedule.upload_id for schedule, _ in restarted.take_due()] == [MADE_ID]
    assert restarted.take_due() == []
    assert len(schedules.take_due()) == 1  # the server that was never restarted: the journal lets one of them send


def test_a_start_that_was_missed_is_left_to_its_user(tmp_path: Path) -> None:
    clock = ManualClock()
    Schedules(Uploads(tmp_path, clock), clock).set(make_schedule(clock, 60), make_session(clock))
    clock.time += 60 + GRACE_SECONDS + 1
    restarted = Schedules(Uploads(tmp_path, clock), clock)
    restarted.add_login(make_session(clock))
    assert restarted.take_due() == []
    shown = restarted.describe(MADE_ID)
    assert shown is not None
    assert shown.is_missed
    restarted.cancel(MADE_ID)
    assert restarted.describe(MADE_ID) is None


def test_nothing_starts_for_a_user_whose_sessions_were_ended_or_while_the_machine_slept(tmp_path: Path) -> None:
    clock = ManualClock()
    schedules = Schedules(Uploads(tmp_path, clock), clock)
    session = make_session(clock)
    schedules.set(make_schedule(clock, 60), session)
    schedules.drop_logins(make_session(clock, "bert"))
    assert schedules.describe(MADE_ID).has_login  # type: ignore[union-attr]
    schedules.drop_logins(session)
    assert not schedules.describe(MADE_ID).has_login  # type: ignore[union-attr]
    schedules.add_login(session)
    clock.time += 3 * 3600
    assert schedules.take_due() == []
    assert schedules.describe(MADE_ID).is_missed  # type: ignore[union-attr]
