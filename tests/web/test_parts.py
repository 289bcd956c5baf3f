"""The small parts by themselves, with time passed in."""

from __future__ import annotations

import threading

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import InputFileError
from bulkupdate.settings import Secret, Settings
from bulkupdate.web.app import create_app
from bulkupdate.web.auth_views import local_path
from bulkupdate.web.filenames import LONGEST_NAME, clean_name, require_sheet_name
from bulkupdate.web.login_throttle import FREE_TRIES, LONGEST_WAIT_SECONDS, LoginThrottle
from bulkupdate.web.sessions import LONGEST_SECONDS, Sessions


class HandClock(Clock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        raise AssertionError("nothing here waits")


def test_the_wait_after_wrong_tries_doubles_up_to_a_quarter_of_an_hour() -> None:
    clock = HandClock()
    attempts = LoginThrottle(clock)
    waits = []
    for _ in range(12):
        while not (wait := attempts.register("address", "anna")):
            pass
        waits.append(wait)
        clock.time += wait
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert waits == sorted(waits)


def test_a_name_is_guarded_from_many_addresses_and_an_address_from_trying_many_names() -> None:
    clock = HandClock()
    attempts = LoginThrottle(clock)
    assert [attempts.register(f"address {n}", "anna") for n in range(FREE_TRIES["name"])] == [0] * FREE_TRIES["name"]
    assert attempts.register("yet another", "anna") > 0
    assert [attempts.register("one", f"name {n}") for n in range(FREE_TRIES["address"])] == [0] * FREE_TRIES["address"]
    assert attempts.register("one", "yet another") > 0


def test_the_right_password_and_an_hour_make_wrong_tries_forgotten_a_dead_service_does_not() -> None:
    clock = HandClock()
    attempts = LoginThrottle(clock)
    for _ in range(2):
        attempts.register("a", "anna")
    attempts.register("a", "anna")
    attempts.discard("a", "anna")  # the service was down
    assert attempts.register("a", "anna") == 0
    assert attempts.register("a", "anna") > 0
    clock.time += 3601
    assert attempts.register("a", "anna") == 0
    attempts.reset("a", "anna")
    assert [attempts.register("a", "anna") for _ in range(3)] == [0, 0, 0]


def test_sessions_end_when_idle_and_after_half_a_day_and_forget_their_password() -> None:
    clock = HandClock()
    logins = Sessions(clock, 600)
    login = logins.open(" Anna ", Secret("pw"), "host")
    assert (login.username, login.person) == ("Anna", "anna")
    assert "pw" not in repr(login)
    clock.time += 599
    assert logins.find(login.id) is login
    clock.time += 599
    assert logins.find(login.id, touch=False) is login  # a page that refreshes itself
    clock.time += 2
    assert logins.find(login.id) is None
    assert not logins.of_person("anna")
    busy = logins.open("anna", Secret("pw"), "host")
    for _ in range(int(LONGEST_SECONDS / 500) + 1):
        clock.time += 500
        logins.find(busy.id)
    assert logins.find(busy.id) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a.csv", "a.csv"), ("../../etc/passwd", "passwd"), ("C:\\x\\y.csv", "y.csv"), ("a\r\nb\x00.csv", "ab.csv"),
        ("\u202egnp.csv", "gnp.csv"), ("", "sheet"), ("/", "sheet"), ("Müller & Söhne.xlsx", "Müller & Söhne.xlsx"),
    ],
)  # fmt: skip
def test_a_name_is_shown_without_folders_and_unseen_marks(given: str, shown: str) -> None:
    assert clean_name(given) == shown


def test_a_long_name_keeps_its_ending() -> None:
    assert len(clean_name("x" * 500 + ".xlsx")) == LONGEST_NAME
    assert clean_name("x" * 500 + ".xlsx").endswith("….xlsx")


def test_two_endings_are_told() -> None:
    with pytest.raises(InputFileError, match=r"two endings, .exe and .csv"):
        require_sheet_name("a.exe.csv")
    assert require_sheet_name("customers.2026.XLSX") == ".xlsx"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb"])
def test_after_signing_in_one_stays_on_this_site(wanted: str) -> None:
    with create_app(Settings(base_url="http://127.0.0.1:1")).test_request_context():
        assert local_path(wanted) == "/"
        assert local_path("/runs?x=1") == "/runs?x=1"
