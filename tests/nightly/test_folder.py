"""Subfolders and moves: a file is in one place, nothing is overwritten, names are harmless."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.nightly.folder import STATE_FOLDER, SUBFOLDERS, NightFolder, make_file_name

NOON = 1_768_392_000.0  # 2026-01-14T12:00:00Z


def put(folder: NightFolder, name: str, text: str = "x") -> Path:
    path = folder.inbox / name
    path.write_text(text)
    return path


def test_missing_subfolders_are_created_private(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path / "new", create=True)
    for place in (*SUBFOLDERS, STATE_FOLDER, "."):
        assert stat.S_IMODE((folder.root / place).stat().st_mode) == 0o700
    NightFolder(tmp_path / "new")


def test_a_folder_without_a_parent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        NightFolder(tmp_path / "mistyped" / "folder", create=True)


def test_a_mistyped_folder_is_refused_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no subfolder inbox/") as refused:
        NightFolder(tmp_path / "mistyped")
    assert "--create" in str(refused.value.remedy)
    assert list(tmp_path.iterdir()) == []


def test_a_claimed_file_is_private_and_its_name_sorts_by_utc_time(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path, create=True)
    late = folder.claim(put(folder, "a.csv"), NOON + 1)
    early = folder.claim(put(folder, "z.csv"), NOON)
    assert late
    assert early
    assert early.path.name.startswith("20260114-120000-")
    assert [each.path.name[25:] for each in folder.list_claimed()] == ["z.csv", "a.csv"]
    assert stat.S_IMODE(early.path.stat().st_mode) == 0o600
    assert early.original_name == "z.csv"
    assert not list(folder.inbox.iterdir())


def test_the_same_name_twice_gives_two_files(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path, create=True)
    for text in ("first", "second"):
        claimed = folder.claim(put(folder, "a.csv", text), NOON)
        assert claimed
        folder.archive(claimed, folder.find_target(claimed, folder.done))
    assert sorted(path.read_text() for path in folder.done.iterdir()) == ["first", "second"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path, create=True)
    claimed = folder.claim(put(folder, "a.csv", "new"), NOON)
    assert claimed
    there = folder.done / claimed.path.name
    there.write_text("old")
    with pytest.raises(UsageError, match="cannot be moved"):
        folder.archive(claimed, there)
    place = folder.find_target(claimed, folder.done)
    folder.archive(claimed, place)
    assert (there.read_text(), place.read_text()) == ("old", "new")
    names = [place.name, folder.find_target(claimed, folder.done).name]
    assert names == [f"{claimed.path.stem}-2.csv", f"{claimed.path.stem}-3.csv"]


def test_a_folder_whose_reports_could_not_be_written_is_refused(tmp_path: Path) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc on this system")
    folder = NightFolder(tmp_path, create=True)
    folder.reports.rmdir()
    folder.reports.symlink_to("/proc/self")  # nothing can be created there
    with pytest.raises(UsageError, match="cannot"):
        NightFolder(tmp_path)


def test_a_missing_file_is_not_claimed(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path, create=True)
    with pytest.raises(FileNotFoundError):
        folder.claim(folder.inbox / "gone.csv", NOON)


def test_foreign_files_in_working_are_ignored(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path, create=True)
    (folder.working / "mine.csv").write_text("x")
    assert folder.list_claimed() == []
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
        ("x" * 190 + "." + "e" * 20, "x" * 180 + "." + "e" * 20),
        ("x" * 190 + "." + "e" * 21, "x" * 180),
    ],
)
def test_file_names_are_made_harmless_and_short(given: str, made: str) -> None:
    assert make_file_name(given) == made


def test_a_name_of_255_bytes_leaves_room_for_the_endings(tmp_path: Path) -> None:
    folder = NightFolder(tmp_path, create=True)
    claimed = folder.claim(put(folder, "n" * 251 + ".csv"), NOON)
    assert claimed
    folder.report_path(claimed, "-results-to-fix.xlsx").touch()
    assert claimed.original_name == "n" * 180 + ".csv", (
        "but for Windows, the length of the folder's path does not matter"
    )


def test_on_windows_names_leave_room_for_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows allows 259 characters for a whole path: the longest report must fit, too."""
    folder = NightFolder(tmp_path, create=True)
    put(folder, "n" * 251 + ".csv")
    monkeypatch.setattr("bulkupdate.nightly.folder._is_windows", lambda: True)
    claimed = folder.claim(folder.inbox / ("n" * 251 + ".csv"), NOON)
    assert len(str(folder.report_path(claimed, "-results-to-fix.xlsx"))) <= 259
