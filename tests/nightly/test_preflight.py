"""`doctor --nightly`: folder, mail, webhook and heartbeat, tried against real servers on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.cli.main import run_cli
from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.nightly.folder_lock import hold_folder
from tests.nightly.night_folders import FIRST, NightEnvironment, sheet
from tests.nightly.receivers import Listener, PostOffice

Doctor = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def doctor(env: NightEnvironment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """The command line, in this process: exit code and JSON object."""

    def call(*arguments: str, folder: Path | None = None, **settings: str) -> tuple[int, dict[str, Any]]:
        for name, value in env.environment(**settings).items():
            monkeypatch.setenv(name, value)
        code = run_cli(["doctor", "--nightly", str(folder or env.folder), "--json", *arguments])
        return code, json.loads(capsys.readouterr().out)

    return call


def notifications(post_office: PostOffice, listener: Listener) -> dict[str, str]:
    return {
        "BULKUPDATE_MAIL_HOST": "127.0.0.1", "BULKUPDATE_MAIL_PORT": str(post_office.open()),
        "BULKUPDATE_MAIL_SECURITY": "none", "BULKUPDATE_MAIL_FROM": "night@example.com",
        "BULKUPDATE_MAIL_TO": "ops@example.com", "BULKUPDATE_WEBHOOK_URL": listener.address,
        "BULKUPDATE_HEARTBEAT_URL": listener.address,
    }  # fmt: skip


def test_everything_is_tried_with_a_test_message(doctor: Doctor, post_office: PostOffice, listener: Listener) -> None:
    code, found = doctor("--send-test", **notifications(post_office, listener))
    assert code == ExitCode.DONE
    assert set(found) - {"database"} == {
        "journal",
        "service",
        "folder",
        "mail",
        "webhook",
        "heartbeat",
        "exit_code",
        "schema",
    }
    assert found["mail"] == {"ok": True, "message": "test mail sent to ops@example.com"}
    assert (len(post_office.mails), len(listener.posts), len(listener.paths)) == (1, 1, 1)
    assert "test notification" in listener.posts[0]["text"]


def test_without_a_test_message_nothing_arrives(doctor: Doctor, post_office: PostOffice, listener: Listener) -> None:
    code, found = doctor(**notifications(post_office, listener))
    assert code == ExitCode.DONE
    assert "no mail was sent" in found["mail"]["message"]
    assert "--send-test" in found["webhook"]["message"]
    assert (post_office.tries, listener.tries, listener.paths) == (0, 0, [])


def test_what_does_not_work_is_named_and_no_address_is_shown(
    doctor: Doctor, post_office: PostOffice, listener: Listener
) -> None:
    given = {**notifications(post_office, listener), "BULKUPDATE_MAIL_PORT": "1"}
    listener.answers = [404, 404]
    code, found = doctor("--send-test", **given)
    assert code == ExitCode.STOPPED
    assert [name for name, each in found.items() if name not in ("exit_code", "schema") and not each["ok"]] == [
        "mail", "webhook", "heartbeat",
    ]  # fmt: skip
    assert "T0ken" not in json.dumps(found)


def test_mail_that_could_not_be_sent_is_named_without_a_test_message_too(
    doctor: Doctor, post_office: PostOffice, listener: Listener
) -> None:
    given = notifications(post_office, listener)
    code, found = doctor(**{**given, "BULKUPDATE_MAIL_PORT": "1"})
    assert (code, found["mail"]["ok"]) == (ExitCode.STOPPED, False)
    code, found = doctor(**{**given, "BULKUPDATE_MAIL_FROM": ""})
    assert (code, found["mail"]["ok"]) == (ExitCode.USAGE, False)
    assert "BULKUPDATE_MAIL_FROM" in found["mail"]["message"]


def test_what_is_not_set_is_said(doctor: Doctor) -> None:
    code, found = doctor("--send-test")
    assert code == ExitCode.DONE
    for name in ("mail", "webhook", "heartbeat"):
        assert found[name]["message"].startswith("not set (BULKUPDATE_")


def test_a_mistyped_folder_is_named(doctor: Doctor, env: NightEnvironment) -> None:
    code, found = doctor(folder=env.root / "mistyped")
    assert code == ExitCode.USAGE
    assert not found["folder"]["ok"]
    assert not (env.root / "mistyped").exists()


def test_the_folder_says_what_waits_and_what_is_blocked(doctor: Doctor, env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    env.put("b.csv.part", "")
    _, found = doctor()
    assert "1 file to send" in found["folder"]["message"]
    assert "inbox/b.csv.part: Its name ends in .part" in found["folder"]["message"]
    assert env.places() == {"inbox": ["a.csv", "b.csv.part"], "working": [], "done": [], "failed": []}


def test_a_folder_whose_files_cannot_be_claimed_is_named(doctor: Doctor, env: NightEnvironment) -> None:
    elsewhere = Path("/proc/self")  # nothing can be created there
    if not elsewhere.is_dir():
        pytest.skip("no /proc on this system")
    (env.folder / "inbox").rmdir()
    (env.folder / "inbox").symlink_to(elsewhere)
    code, found = doctor()
    assert code == ExitCode.USAGE
    assert "A file cannot be moved from" in found["folder"]["message"]


def test_trying_to_move_a_file_leaves_nothing_in_the_inbox(
    doctor: Doctor, env: NightEnvironment, other_disk: Path
) -> None:
    (env.folder / "inbox").rmdir()
    (env.folder / "inbox").symlink_to(other_disk)
    code, found = doctor()
    assert (code, list(other_disk.iterdir())) == (ExitCode.USAGE, [])
    assert "A file cannot be moved from" in found["folder"]["message"]
    assert "Invalid cross-device link" in found["folder"]["message"]


def test_a_folder_in_use_is_no_failure(doctor: Doctor, env: NightEnvironment) -> None:
    env.night()
    with hold_folder(env.folder / ".nightly", Clock()):
        code, found = doctor()
    assert code == ExitCode.DONE
    assert "is in use by process" in found["folder"]["message"]


def test_a_test_message_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["doctor", "--send-test"]) == ExitCode.USAGE
    assert "--nightly FOLDER" in capsys.readouterr().err
