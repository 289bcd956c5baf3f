"""Sessions begin and end, with time passed in."""

from __future__ import annotations

from bulkupdate.settings import Secret
from bulkupdate.web.sessions import MAX_SESSION_SECONDS, Sessions
from tests.web.manual_clock import ManualClock


def test_sessions_end_when_idle_and_after_half_a_day_and_forget_their_password() -> None:
    clock = ManualClock()
    logins = Sessions(clock, 600)
    login = logins.open(" Anna ", Secret("pw"), "host")
    assert (login.username, login.user_key) == ("Anna", "anna")
    assert "pw" not in repr(login)
    clock.time += 599
    assert logins.find(login.id) is login
    clock.time += 599
    assert logins.find(login.id, touch=False) is login  # a page that refreshes itself
    clock.time += 2
    assert logins.find(login.id) is None
    assert not logins.of_user("anna")
    busy = logins.open("anna", Secret("pw"), "host")
    for _ in range(int(MAX_SESSION_SECONDS / 500) + 1):
        clock.time += 500
        logins.find(busy.id)
    assert logins.find(busy.id) is None
