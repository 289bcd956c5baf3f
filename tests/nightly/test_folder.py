"""The places and the moves: one file, one place, nothing overwritten, harmless names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.nightly.folder import LEFTOVER_SECONDS, PLACES, NightFolder, make_file_name

NOON = 1_768_392_000.0  # 2026-01-14T12:00:00Z


def put(folder: NightFolder, name: str, text: str = "x") -> Path:
    path = folder.inbox / name
    path.write_text(text)
    return path


def test_the_five_places_are_made_when_missing_and_closed_to_others(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path / "new")
    for place in PLACES:
        assert stat.S_IMODE((folder.root / place).stat().st_mode) == 0o700
    NightFolder(tmp_path / "new")


def test_a_folder_with_no_parent_is_a_mistyped_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        NightFolder(tmp_path / "mistyped" / "folder")


def test_a_file_taken_has_a_name_that_sorts_by_utc_time_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    late = folder.take(put(folder, "a.csv"), NOON + 1)
    early = folder.take(put(folder, "z.csv"), NOON)
    assert late
    assert early
    assert early.path.name.startswith("20260114-120000-")
    assert [each.path.name[25:] for each in folder.list_taken()] == ["z.csv", "a.csv"]
    assert stat.S_IMODE(early.path.stat().st_mode) == 0o600
    assert early.shown_name == "z.csv"
    assert not list(folder.inbox.iterdir())


def test_the_same_name_twice_is_two_files(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    for text in ("first", "second"):
        taken = folder.take(put(folder, "a.csv", text), NOON)
        assert taken
        folder.archive(taken, folder.find_place(taken, folder.done))
    assert sorted(path.read_text() for path in folder.done.iterdir()) == ["first", "second"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    taken = folder.take(put(folder, "a.csv", "new"), NOON)
    assert taken
    there = folder.done / taken.path.name
    there.write_text("old")
    with pytest.raises(UsageError, match="cannot be moved"):
        folder.archive(taken, there)
    place = folder.find_place(taken, folder.done)
    folder.archive(taken, place)
    assert (there.read_text(), place.read_text()) == ("old", "new")


def test_what_is_gone_is_not_taken(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    assert folder.take(folder.inbox / "gone.csv", NOON) is None


def test_what_others_put_into_working_is_left_alone(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    (folder.working / "mine.csv").write_text("x")
    assert folder.list_taken() == []
    assert [path.name for path in folder.list_foreign_files()] == ["mine.csv"]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("customers.xlsx", "customers.xlsx"),
        ("März 2026.csv", "März 2026.csv"),
        ("a\nb\x1b[31m.csv", "a_b_[31m.csv"),
        ("\u202etxt.csv", "_txt.csv"),
        (os.fsdecode(b"caf\xe9.csv"), "caf_.csv"),
        ("it's $(rm).csv", "it_s _(rm).csv"),
        ("x" * 250 + ".csv", "x" * 180 + ".csv"),
        ("ü" * 120 + ".csv", "ü" * 90 + ".csv"),
        ("no-ending", "no-ending"),
    ],
)
def test_a_name_misleads_neither_eyes_nor_shells_and_fits(given: str, made: str) -> None:
    assert make_file_name(given) == made


def test_a_name_of_255_bytes_can_be_taken_and_reported_on(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    taken = folder.take(put(folder, "n" * 251 + ".csv"), NOON)
    assert taken
    folder.report_path(taken, "-results-to-fix.xlsx").touch()


def test_half_written_reports_of_killed_processes_go_after_a_day(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path)
    old, new = folder.reports / ".bulkupdate-old.tmp", folder.reports / ".bulkupdate-new.tmp"
    old.touch()
    new.touch()
    os.utime(old, (NOON, NOON))
    os.utime(new, (NOON + 10, NOON + 10))
    folder.clear_leftovers(NOON + LEFTOVER_SECONDS + 5)
    assert [path.name for path in folder.reports.iterdir()] == [new.name]
