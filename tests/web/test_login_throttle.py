"""Attempts to sign in are slowed down, with time passed in."""

from __future__ import annotations

from bulkupdate.web.login_throttle import FREE_ATTEMPTS, MAX_WAIT_SECONDS, LoginThrottle
from tests.web.manual_clock import ManualClock


def test_the_wait_after_wrong_attempts_doubles_up_to_a_quarter_of_an_hour() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(clock)
    waits = []
    for _ in range(12):
        while not (wait := throttle.register("address", "anna")):
            pass
        waits.append(wait)
        clock.time += wait
    assert waits[-1] == MAX_WAIT_SECONDS
    assert waits == sorted(waits)


def test_a_name_is_guarded_from_many_addresses_and_an_address_from_trying_many_names() -> None:
    throttle = LoginThrottle(ManualClock())
    for number in range(FREE_ATTEMPTS["name"]):
        assert throttle.register(f"address {number}", "anna") == 0
    assert throttle.register("yet another", "anna") > 0
    for number in range(FREE_ATTEMPTS["address"]):
        assert throttle.register("one", f"name {number}") == 0
    assert throttle.register("one", "yet another") > 0


def test_the_right_password_and_an_hour_make_wrong_attempts_forgotten_a_dead_service_does_not() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(clock)
    for _ in range(2):
        throttle.register("a", "anna")
    throttle.register("a", "anna")
    throttle.discard("a", "anna")  # the service was down
    assert throttle.register("a", "anna") == 0
    assert throttle.register("a", "anna") > 0
    clock.time += 3601
    assert throttle.register("a", "anna") == 0
    throttle.reset("a", "anna")
    assert [throttle.register("a", "anna") for _ in range(3)] == [0, 0, 0]
