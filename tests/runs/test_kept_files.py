"""Inputs that are not files of this machine are kept in the state folder, and so are their results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.remote.address import parse_address
from bulkupdate.runs.kept_files import (
    delete_inputs_before,
    delete_kept_results,
    fetch_input,
    inputs_folder,
    keep_input,
    place_results,
    results_folder,
)
from bulkupdate.settings import Settings
from tests.remote.web_server import answer, serve_web


def test_what_is_piped_in_is_kept_whole_under_a_name_of_its_own_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    kept = [keep_input("stdin", ".csv", [b"CustomerId\n", b"163\n"], settings, 0.0) for _ in range(2)]
    assert [path.read_bytes() for path in kept] == [b"CustomerId\n163\n"] * 2
    assert kept[0] != kept[1]
    for path in kept:
        assert (path.parent, path.suffix, path.name.startswith("stdin-")) == (inputs_folder(tmp_path), ".csv", True)
    assert inputs_folder(tmp_path).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("path", "content_type", "named", "stem", "ending"),
    [
        ("/May.list-(2).CSV", "text/plain", None, "May-list-2", ".csv"),
        ("/export", "text/csv; charset=utf-8", None, "export", ".csv"),
        ("/export.php", "text/html", ".xlsx", "export", ".xlsx"),
        ("/---", "text/csv", None, "download", ".csv"),
        (f"/{'long' * 40}.csv", "", None, "long" * 15, ".csv"),
    ],
)
def test_a_download_is_kept_under_its_name_with_the_ending_of_its_type(
    tmp_path: Path, path: str, content_type: str, named: str | None, stem: str, ending: str
) -> None:
    with serve_web() as web:
        web.answers[path] = answer(b"CustomerId\n163\n", Content_Type=content_type)
        kept = fetch_input(parse_address(web.url(path)), named, Settings(state_dir=tmp_path), 0.0)
    assert kept.read_bytes() == b"CustomerId\n163\n"
    assert (kept.parent, kept.suffix) == (inputs_folder(tmp_path), ending)
    assert kept.name.startswith(f"{stem}-19700101-")


def test_a_download_of_unknown_type_is_refused(tmp_path: Path) -> None:
    with serve_web() as web:
        web.answers["/page"] = answer(b"<html>", Content_Type="text/html")
        with pytest.raises(InputFileError, match="says what kind of file it is") as refused:
            fetch_input(parse_address(web.url("/page")), None, Settings(state_dir=tmp_path), 0.0)
    assert refused.value.remedy == "If you know it, name it: --format csv."
    assert not inputs_folder(tmp_path).exists()


def test_no_more_is_kept_than_the_settings_allow(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, max_unpacked_bytes=1000)
    keep_input("stdin", ".csv", [b"x" * 600, b"x" * 400], settings, 0.0)
    with pytest.raises(InputFileError, match=r"more than 1,000 bytes"):
        keep_input("stdin", ".csv", [b"x" * 600, b"x" * 401], settings, 0.0)
    assert len(list(inputs_folder(tmp_path).iterdir())) == 1


def test_results_go_beside_a_file_and_otherwise_into_the_state_folder(tmp_path: Path) -> None:
    sheet, kept = tmp_path / "may.csv", inputs_folder(tmp_path) / "stdin-1.csv"
    assert place_results(sheet, "run-1", tmp_path).parent == tmp_path
    state = tmp_path / "new/state"
    for source in (kept, None):
        assert place_results(source, "run-1", tmp_path) == results_folder(tmp_path) / "run-1.xlsx"
        assert place_results(None, "run-1", state) == results_folder(state) / "run-1.xlsx"
    assert results_folder(tmp_path).stat().st_mode & 0o777 == 0o700


def test_results_are_deleted_with_their_to_fix_file_only_in_the_state_folder(tmp_path: Path) -> None:
    for folder in (tmp_path, results_folder(tmp_path)):
        folder.mkdir(exist_ok=True)
        for name in ("run-1.xlsx", "run-1-to-fix.xlsx"):
            (folder / name).touch()
        delete_kept_results(tmp_path, folder.resolve() / "run-1.xlsx")
    delete_kept_results(tmp_path, results_folder(tmp_path).resolve() / "run-1.xlsx")
    assert list(results_folder(tmp_path).iterdir()) == []
    assert len(list(tmp_path.glob("run-1*"))) == 2


def test_inputs_are_deleted_by_their_age(tmp_path: Path) -> None:
    delete_inputs_before(tmp_path, 100.0)
    settings = Settings(state_dir=tmp_path)
    old, new = (keep_input(name, ".csv", [b"x"], settings, 0.0) for name in ("old", "new"))
    for path, at in ((old, 99.0), (new, 100.0)):
        os.utime(path, (at, at))
    delete_inputs_before(tmp_path, 100.0)
    assert list(inputs_folder(tmp_path).iterdir()) == [new]
