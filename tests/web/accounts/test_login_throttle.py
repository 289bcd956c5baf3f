"""Attempts to sign in are slowed down, with time passed in."""

from __future__ import annotations

from bulkupdate.web.accounts.login_throttle import FIRST_WAIT_SECONDS, LIMITS, Attempt, LoginThrottle
from tests.web.manual_clock import ManualClock

DAY_SECONDS = 86_400.0


def test_the_wait_after_wrong_attempts_doubles_up_to_a_quarter_of_an_hour() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(clock)
    waits = []
    for _ in range(12):
        while not (wait := throttle.register(Attempt("address", "anna"))):
            pass
        waits.append(wait)
        clock.time += wait
    assert waits[-1] == LIMITS["address and name"].max_wait_seconds
    assert waits == sorted(waits)


def test_a_clock_set_back_makes_no_wait_longer() -> None:
    clock = ManualClock()
    throttle, attempt = LoginThrottle(clock), Attempt("a", "anna")
    while not throttle.register(attempt):
        pass
    clock.set_by = -7200
    assert throttle.register(attempt) <= FIRST_WAIT_SECONDS


def test_a_name_is_guarded_from_many_addresses_and_an_address_from_trying_many_names() -> None:
    throttle = LoginThrottle(ManualClock())
    for number in range(LIMITS["name"].free):
        assert throttle.register(Attempt(f"address {number}", "anna")) == 0
    assert throttle.register(Attempt("yet another", "anna")) > 0
    for number in range(LIMITS["address"].free):
        assert throttle.register(Attempt("one", f"name {number}")) == 0
    assert throttle.register(Attempt("one", "yet another")) > 0


def test_a_right_password_resets_the_count_and_a_dead_service_does_not() -> None:
    clock = ManualClock()
    throttle, attempt = LoginThrottle(clock), Attempt("a", "anna")
    for _ in range(3):
        throttle.register(attempt)
    throttle.discard(attempt)  # the service was down
    assert throttle.register(attempt) == 0
    assert throttle.register(attempt) > 0
    clock.time += 3601
    assert throttle.register(attempt) == 0
    throttle.reset(attempt)
    assert [throttle.register(attempt) for _ in range(3)] == [0, 0, 0]


def test_a_day_of_guessing_does_not_keep_a_user_out_on_a_known_device() -> None:
    """Without the device, too, a minute is the longest wait for a name from an address that has not guessed."""
    clock = ManualClock()
    throttle, guesses, longest = LoginThrottle(clock), 0, 0.0
    known, unknown = Attempt("office", "victim", device="laptop"), Attempt("home", "victim")
    end, checked = clock.time + DAY_SECONDS, clock.time
    while clock.time < end:
        wait = min(throttle.register(Attempt(f"attacker {n}", "victim")) for n in range(8))
        guesses += not wait
        if clock.time - checked > 1800:
            checked = clock.time
            assert throttle.register(known) == 0
            throttle.reset(known)
            longest = max(longest, throttle.register(unknown))
        clock.time += 5
    assert 0 < longest <= 60
    assert guesses < 1600  # one a minute: no password is guessed so


def test_an_administrator_releases_a_name() -> None:
    throttle = LoginThrottle(ManualClock())
    for _ in range(3):
        throttle.register(Attempt("a", "anna"))
    assert list(throttle.slowed_names()) == ["anna"]
    throttle.release("anna")
    assert not throttle.slowed_names()
    assert throttle.register(Attempt("a", "anna")) == 0


def test_attempts_without_an_answer_are_limited_by_address() -> None:
    throttle = LoginThrottle(ManualClock())
    for number in range(LIMITS["no answer"].free):
        attempt = Attempt("a", f"name {number}")
        assert throttle.register(attempt) == 0
        throttle.discard(attempt)
    assert throttle.register(Attempt("a", "anna")) > 0
    assert throttle.register(Attempt("b", "anna")) == 0


def test_a_password_refused_to_a_run_counts_for_its_name() -> None:
    throttle = LoginThrottle(ManualClock())
    for _ in range(LIMITS["name"].free):
        throttle.register_refusal("anna")
    assert throttle.register(Attempt("a", "anna")) > 0
