"""Sessions begin and end, with time passed in."""

from __future__ import annotations

import pytest

from bulkupdate.redaction import Secret
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.sessions import MAX_SESSION_SECONDS, AcceptedLogin, EndReason, Sessions
from tests.web.manual_clock import ManualClock


def login(username: str = "anna", password: str = "correct horse battery", identity: str = "") -> AcceptedLogin:
    return AcceptedLogin(username, identity or username, Secret(password), "host")


def test_a_session_ends_when_idle_and_says_so() -> None:
    clock = ManualClock()
    sessions = Sessions(clock, 600)
    opened = sessions.open(login("Anna"))
    assert (opened.username, opened.user_key) == ("Anna", "anna")
    assert "correct horse" not in repr(opened)
    clock.time += 599
    assert sessions.find(opened.id) is opened
    clock.time += 599
    assert sessions.find(opened.id, touch=False) is opened  # a page that refreshes itself
    assert sessions.seconds_left(opened) == 1
    clock.time += 2
    assert sessions.find(opened.id) is None
    assert not sessions.of_user("anna")
    assert sessions.why_ended(opened.id) is EndReason.IDLE


def test_a_session_ends_after_half_a_day() -> None:
    clock = ManualClock()
    sessions = Sessions(clock, 600)
    busy = sessions.open(login())
    for _ in range(int(MAX_SESSION_SECONDS / 500) + 1):
        clock.time += 500
        sessions.find(busy.id)
    assert sessions.find(busy.id) is None
    assert sessions.why_ended(busy.id) is EndReason.TOO_OLD


def test_a_clock_set_back_or_forward_ends_no_session() -> None:
    clock = ManualClock()
    sessions = Sessions(clock, 600)
    opened = sessions.open(login())
    for clock.set_by in (-7200, 7200):
        assert sessions.find(opened.id) is opened
        assert sessions.seconds_left(opened) == 600


def test_a_new_password_ends_the_sessions_with_the_old_one() -> None:
    sessions = Sessions(ManualClock(), 600)
    old, other = sessions.open(login()), sessions.open(login("bert"))
    same = sessions.open(login())
    assert sessions.find(old.id) is old
    new = sessions.open(login(password="changed"))
    assert [session.id for session in sessions.of_user("anna")] == [new.id]
    assert sessions.why_ended(old.id) is sessions.why_ended(same.id) is EndReason.PASSWORD_CHANGED
    assert sessions.find(other.id) is other


def test_a_refused_password_ends_all_sessions_with_it() -> None:
    sessions = Sessions(ManualClock(), 600)
    first, second, other = sessions.open(login()), sessions.open(login()), sessions.open(login("bert"))
    sessions.end_refused(first)
    assert sessions.all() == [other]
    assert sessions.why_ended(second.id) is EndReason.REFUSED


@pytest.mark.parametrize(
    "typed",
    ["ANN@example.com", " ann@example.com ", "ａnn@example.com", "an\u200bn@example.com", "ann\u00ad@example.com",
     "\ufeffann@example.com", "ann@example.com\x00"],
)  # fmt: skip
def test_spellings_of_one_name_are_one_user(typed: str) -> None:
    assert fold_name(typed) == "ann@example.com"


def test_the_user_is_the_one_that_the_service_returned() -> None:
    sessions = Sessions(ManualClock(), 600)
    assert sessions.open(login("ánn@example.com", identity="ann@example.com")).user_key == "ann@example.com"
