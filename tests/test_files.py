from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.files import LEFTOVER_SECONDS, check_writable, replace_file


@pytest.mark.parametrize("name", ["out.xlsx", "out.csv", "OUT.XLSX"])
def test_a_writable_place_passes_and_nothing_is_left_there(tmp_path: Path, name: str) -> None:
    check_writable(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "out.xlsx").write_bytes(b"old")
    check_writable(tmp_path / "out.xlsx")
    assert (tmp_path / "out.xlsx").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["out.xls", "out", "out.xlsx.txt", ".xlsx"])
def test_a_wrong_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"must end in \.xlsx or \.csv"):
        check_writable(tmp_path / name)


def test_other_endings_can_be_asked_for(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.html", (".html", ".htm"))
    with pytest.raises(UsageError, match="html"):
        check_writable(tmp_path / "report.xlsx", (".html", ".htm"))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"The folder .* does not exist"):
        check_writable(tmp_path / "nowhere" / "out.xlsx")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"The folder .* does not exist"):
        check_writable(tmp_path / "file" / "out.xlsx")


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.xlsx").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_writable(tmp_path / "out.xlsx")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_a_pipe_of_that_name_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.xlsx")
    with pytest.raises(UsageError, match="not an ordinary file"):
        check_writable(tmp_path / "out.xlsx")


@pytest.mark.parametrize("lock", ["~$out.xlsx", ".~lock.out.xlsx#"])
def test_a_file_open_in_excel_or_libreoffice_is_refused(tmp_path: Path, lock: str) -> None:
    (tmp_path / "out.xlsx").touch()
    (tmp_path / lock).touch()
    with pytest.raises(UsageError, match="is open in Excel or LibreOffice") as caught:
        check_writable(tmp_path / "out.xlsx")
    assert lock in str(caught.value.remedy)


def test_a_name_too_long_for_the_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        check_writable(tmp_path / f"{'x' * 300}.xlsx")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are told by user id")
def test_a_write_protected_place_is_refused(tmp_path: Path) -> None:
    """As another user, since root may write everywhere."""
    (tmp_path / "out.xlsx").touch(mode=0o444)
    tmp_path.chmod(0o555)
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from bulkupdate.errors import UsageError
        from bulkupdate.files import check_writable, replace_file
        if os.geteuid() == 0:
            os.setgid(65534), os.setuid(65534)
        for name in ("out.xlsx", "new.xlsx"):
            try:
                check_writable(Path(sys.argv[1], name))
            except UsageError as error:
                print(error)
        try:
            with replace_file(Path(sys.argv[1], "new.xlsx")):
                pass
        except UsageError as error:
            print(error)
    """)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != tmp_path:
            folder.chmod(folder.stat().st_mode | 0o055)
        if folder.name == "pytest-of-root" or folder.name.startswith("pytest-of"):
            break
    call = [sys.executable, "-c", program, tmp_path]
    done = subprocess.run(call, env={}, capture_output=True, text=True, timeout=60)
    tmp_path.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.count("Permission denied") == 3


def test_the_file_appears_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    target = tmp_path / "out.xlsx"
    target.write_bytes(b"old")
    with replace_file(target) as stream:
        stream.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]
    if sys.platform != "win32":
        assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "real.xlsx")
    with replace_file(tmp_path / "link.xlsx") as stream:
        stream.write(b"new")
    assert (tmp_path / "link.xlsx").is_symlink()
    assert (tmp_path / "real.xlsx").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("half way"), KeyboardInterrupt()])
def test_an_error_half_way_leaves_the_old_file_and_no_other(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "out.xlsx"
    target.write_bytes(b"old")

    def write_half() -> None:
        with replace_file(target) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.xlsx"
    target.write_bytes(b"old")

    def write_to_full_disk() -> None:
        with replace_file(target) as stream, Path("/dev/full").open("wb") as full:
            os.dup2(full.fileno(), stream.fileno())
            stream.write(b"new")

    with pytest.raises(UsageError, match="No space left") as caught:
        write_to_full_disk()
    assert "Free some space" in str(caught.value.remedy)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_is_removed_by_the_next_one_that_writes_there(tmp_path: Path) -> None:
    long_ago = time.time() - LEFTOVER_SECONDS - 5
    left, mine, new = (tmp_path / name for name in (".bulkupdate-a1.tmp", ".other-b.tmp", ".bulkupdate-new.tmp"))
    for path in (left, mine, new):
        path.write_text("customers")
    os.utime(left, (long_ago, long_ago))
    os.utime(mine, (long_ago, long_ago))
    with replace_file(tmp_path / "first.csv"):
        held = next(each for each in tmp_path.glob(".bulkupdate-*") if each != new)
        os.utime(held, (long_ago, long_ago))
        with replace_file(tmp_path / "second.csv"):
            assert held.exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([mine.name, new.name, "first.csv", "second.csv"])
