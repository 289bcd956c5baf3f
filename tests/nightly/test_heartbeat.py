"""The heartbeat at start and end of a night, on a real server on loopback."""

from __future__ import annotations

import threading

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.nightly.heartbeat import Signal, choose_signal, send_heartbeat
from bulkupdate.nightly.logs import logging_to
from bulkupdate.redaction import Secret
from tests.nightly.night_folders import FIRST, NightEnvironment, sheet
from tests.nightly.receivers import Listener

PATH = "/hooks/T0ken-of-the-hook"


def send(address: str, signal: Signal = Signal.SUCCESS) -> bool:
    return send_heartbeat(Secret(address), signal, Clock(), threading.Event(), first_wait=0.01)


@pytest.mark.parametrize(
    ("address", "signal", "path"),
    [
        ("", Signal.START, f"{PATH}/start"),
        ("", Signal.SUCCESS, PATH),
        ("", Signal.FAIL, f"{PATH}/fail"),
        ("/", Signal.FAIL, f"{PATH}/fail"),
        ("?create=1", Signal.START, f"{PATH}/start?create=1"),
    ],
)
def test_the_signal_is_appended_to_the_path(listener: Listener, address: str, signal: Signal, path: str) -> None:
    assert send(listener.address + address, signal)
    assert listener.paths == [path]


@pytest.mark.parametrize(
    ("code", "signal"), [(0, Signal.SUCCESS), (1, Signal.SUCCESS), *((code, Signal.FAIL) for code in (2, 3, 4, 5, 130))]
)
def test_exit_codes_from_2_are_failures(code: int, signal: Signal) -> None:
    assert choose_signal(ExitCode(code)) is signal


def test_a_temporary_error_is_retried_and_a_refusal_is_not(listener: Listener) -> None:
    listener.answers = [503, 503]
    assert send(listener.address)
    assert len(listener.paths) == 3
    listener.answers = [404] * 9
    assert not send(listener.address)
    assert len(listener.paths) == 4


def test_a_service_that_is_down_is_tried_three_times(listener: Listener) -> None:
    listener.answers = [503] * 9
    assert not send(listener.address)
    assert len(listener.paths) == 3


def test_no_address_means_no_request() -> None:
    assert send("")


def test_the_address_is_not_shown(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.answers = [404]
    with logging_to(None, "text", "debug", quiet=False):
        send(listener.address, Signal.START)
        listener.close()
        send(listener.address, Signal.FAIL)
        send("nonsense-T0ken")
    said = capsys.readouterr().err
    assert said.count("the heartbeat") == 3
    assert "/fail failed: no connection" in said
    assert "T0ken" not in said


# -- in a night -----------------------------------------------------------------------------------------------------


def test_a_night_begins_and_ends_with_a_heartbeat(env: NightEnvironment, listener: Listener) -> None:
    env.given["heartbeat_url"] = Secret(listener.address)
    assert env.night() is ExitCode.DONE
    assert listener.paths == [f"{PATH}/start", PATH]


def test_a_night_with_rows_not_updated_is_no_failure_and_a_refused_file_is(
    env: NightEnvironment, listener: Listener
) -> None:
    env.given["heartbeat_url"] = Secret(listener.address)
    env.put("a.csv", sheet([FIRST, 999_999]))
    assert env.night() is ExitCode.INCOMPLETE
    env.put("b.csv", "no sheet")
    assert env.night() is ExitCode.FILE_REFUSED
    assert [path.removeprefix(PATH) for path in listener.paths] == ["/start", "", "/start", "/fail"]


def test_a_heartbeat_that_cannot_be_reached_changes_nothing(env: NightEnvironment, listener: Listener) -> None:
    listener.answers = [404, 404]
    env.given["heartbeat_url"] = Secret(listener.address)
    env.put("a.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert len(listener.paths) == 2
    assert env.puts() == {str(FIRST): 1}
