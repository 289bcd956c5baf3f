"""Every file that a night leaves behind is named with its reason, and counts once it waits for more than a day."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.nightly import left_files
from bulkupdate.nightly.left_files import OVERDUE_SECONDS, LeftReason
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.redaction import Secret
from tests.nightly.night_folders import FIRST, NightEnvironment, sheet

DAY = 86_400.0


def left(env: NightEnvironment) -> dict[str, LeftReason]:
    assert env.report is not None
    return {each.name: each.reason for each in env.report.left_files}


def message(env: NightEnvironment) -> str:
    assert env.report is not None
    (found,) = env.report.left_files
    return found.message


def age(path: Path, seconds: float) -> Path:
    then = Clock().now() - seconds
    os.utime(path, (then, then))
    return path


def test_a_file_that_is_open_in_libreoffice_is_named_with_its_lock_file(env: NightEnvironment) -> None:
    env.put("open.csv", sheet([FIRST]))
    env.put(".~lock.open.csv#", "", age=9 * DAY)
    assert env.night() is ExitCode.INCOMPLETE
    assert left(env) == {"inbox/open.csv": LeftReason.OPEN}
    assert "open in LibreOffice since" in message(env)
    assert "delete the lock file .~lock.open.csv#" in message(env)
    assert env.puts() == {}


def test_a_file_that_was_opened_in_excel_today_does_not_change_the_exit_code(env: NightEnvironment) -> None:
    env.put("open.xlsx", "x", age=9 * DAY)
    env.put("~$open.xlsx", "")
    assert env.night() is ExitCode.DONE
    assert left(env) == {"inbox/open.xlsx": LeftReason.OPEN}
    assert "open in Excel since" in message(env)


def test_a_file_that_was_closed_just_now_is_late(env: NightEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lock file was there when the inbox was listed, and is gone when its time is asked for."""
    find_change = left_files._find_change
    monkeypatch.setattr(
        left_files, "_find_change", lambda path: None if path.name.startswith("~$") else find_change(path)
    )
    env.put("open.xlsx", "x", age=9 * DAY)
    env.put("~$open.xlsx", "")
    assert env.night() is ExitCode.DONE
    assert left(env) == {"inbox/open.xlsx": LeftReason.LATE}


def test_files_in_subfolders_are_named_one_by_one(env: NightEnvironment) -> None:
    for name in ("Monday/x.csv", "Monday/deep/y.csv", "Monday/.hidden"):
        path = env.folder / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert left(env) == dict.fromkeys(["inbox/Monday/x.csv", "inbox/Monday/deep/y.csv"], LeftReason.SUBFOLDER)
    age(env.folder / "inbox" / "Monday" / "x.csv", 2 * DAY)
    assert env.night() is ExitCode.INCOMPLETE


@pytest.mark.parametrize(("name", "beside"), [("a.csv.part", None), ("a.csv", "a.csv.filepart")])
def test_incomplete_copies_are_named(env: NightEnvironment, name: str, beside: str | None) -> None:
    env.put(name, sheet([FIRST]))
    if beside:
        env.put(beside, "")
    env.night()
    assert left(env)[f"inbox/{name}"] is LeftReason.INCOMPLETE


def test_links_are_named(env: NightEnvironment) -> None:
    (env.folder / "inbox" / "link.csv").symlink_to(env.root / "elsewhere.csv")
    env.night()
    assert left(env) == {"inbox/link.csv": LeftReason.NOT_A_FILE}


def test_a_file_that_cannot_be_moved_is_named_with_the_cause(env: NightEnvironment, other_disk: Path) -> None:
    (env.folder / "inbox").rmdir()
    (env.folder / "inbox").symlink_to(other_disk)
    env.put("a.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert left(env) == {"inbox/a.csv": LeftReason.NOT_MOVABLE}
    assert "cannot be moved to working/: Invalid cross-device link" in message(env)
    age(other_disk / "a.csv", 2 * DAY)
    assert env.night() is ExitCode.INCOMPLETE


class GrowingClock(Clock):
    """While the night waits, a file grows and another one arrives."""

    def __init__(self, env: NightEnvironment) -> None:
        self.env = env

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self.env.put("growing.csv", sheet([FIRST, FIRST + 1]))
        self.env.put("late.csv", sheet([FIRST]), age=9 * DAY)
        return stop.is_set()


def test_files_that_grow_or_arrive_during_the_night_are_named_and_are_no_failure(env: NightEnvironment) -> None:
    env.put("growing.csv", sheet([FIRST]), age=60)
    assert env.night(clock=GrowingClock(env)) is ExitCode.DONE
    assert left(env) == {"inbox/growing.csv": LeftReason.CHANGING, "inbox/late.csv": LeftReason.LATE}


def test_a_file_that_changes_before_its_turn_is_named(env: NightEnvironment) -> None:
    class Changer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "claimed":
                env.put("second.csv", sheet([FIRST, FIRST + 1]))

    changer = Changer()
    env.put("first.csv", sheet([FIRST]), age=60)
    env.put("second.csv", sheet([FIRST]), age=50)
    LOGGER.setLevel("INFO")
    LOGGER.addHandler(changer)
    try:
        assert env.night() is ExitCode.DONE
    finally:
        LOGGER.removeHandler(changer)
        LOGGER.setLevel("NOTSET")
    assert left(env) == {"inbox/second.csv": LeftReason.CHANGING}


def test_files_that_an_outage_left_in_the_inbox_are_named(env: NightEnvironment) -> None:
    env.given["max_attempts"] = 1
    env.put("a.csv", sheet([FIRST]), age=60)
    env.put("b.csv", sheet([FIRST + 1]), age=50)
    env.sandbox.stop()
    assert env.night() is ExitCode.STOPPED
    assert left(env) == {"inbox/b.csv": LeftReason.NOT_REACHED}
    env.given["password"] = Secret("wrong")
    env.sandbox.start()
    assert env.night() is ExitCode.STOPPED, "with a.csv, before it came to the inbox"
    assert left(env) == {"inbox/b.csv": LeftReason.NOT_REACHED}


def test_foreign_files_in_working_are_named(env: NightEnvironment) -> None:
    env.night()
    age(env.folder / "working", 0)
    (env.folder / "working" / "mine.csv").write_text("x")
    assert env.night() is ExitCode.DONE
    assert left(env) == {"working/mine.csv": LeftReason.FOREIGN}


@pytest.mark.parametrize(("seconds", "code"), [(OVERDUE_SECONDS - 60, 0), (OVERDUE_SECONDS + 60, 1)])
def test_a_file_counts_towards_the_exit_code_after_a_day(env: NightEnvironment, seconds: float, code: int) -> None:
    env.put("a.csv.part", sheet([FIRST]), age=seconds)
    assert env.night() == code


def test_each_file_left_behind_is_one_warning(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.csv.part", "b.csv.part"):
        env.put(name, "")
    env.night()
    warnings = [record for record in caplog.records if record.getMessage().startswith("left behind: ")]
    assert [(each.levelname, vars(each)["file"]) for each in warnings] == [
        ("WARNING", "inbox/a.csv.part"), ("WARNING", "inbox/b.csv.part"),
    ]  # fmt: skip


def test_hidden_files_are_named(env: NightEnvironment) -> None:
    env.put(".a.csv.Xy12Z", "")  # as rsync calls a file while it copies it
    (env.folder / "inbox" / ".sync").mkdir()
    (env.folder / "inbox" / ".sync" / "state.csv").touch()
    env.night()
    assert left(env) == {"inbox/.a.csv.Xy12Z": LeftReason.HIDDEN}


@pytest.mark.parametrize(
    "name",
    [".gitkeep", "Thumbs.db", "desktop.ini", ".DS_Store", "._a.csv", ".nfs0001", ".~lock.gone.csv#", "~$gone.xlsx"],
)
def test_system_files_are_not_reported(env: NightEnvironment, name: str) -> None:
    env.put(name, "", age=9 * DAY)
    assert env.night() is ExitCode.DONE
    assert left(env) == {}


def test_an_empty_inbox_leaves_nothing_behind(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert left(env) == {}


def test_on_windows_a_file_that_another_program_has_open_is_named(
    env: NightEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no fcntl, and renaming an open file is refused."""
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name == "open.csv":
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return rename(path, target)

    monkeypatch.setattr("bulkupdate.nightly.inbox.fcntl", None)
    monkeypatch.setattr(Path, "rename", refuse)
    env.put("open.csv", sheet([FIRST]), age=2 * DAY)
    env.put("closed.csv", sheet([FIRST + 1]))
    assert env.night() is ExitCode.INCOMPLETE
    assert left(env) == {"inbox/open.csv": LeftReason.NOT_MOVABLE}
    assert "used by another process" in message(env)
    assert env.puts() == {str(FIRST + 1): 1}
