"""A nightly folder over SFTP and in S3: each file once, results written back beside it, nothing of others touched."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import InputFileError
from bulkupdate.nightly.folder import NightFolder
from bulkupdate.nightly.remote_folder import RemoteFolder, find_local_root, parse_folder
from bulkupdate.remote.s3_store import S3Store
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.settings import Settings
from tests.conftest import FIRST, find_puts
from tests.nightly.night_folders import NightEnvironment
from tests.nightly.sample_notifications import NIGHT
from tests.remote.servers import S3Server, SftpServer

GOOD = f"CustomerId,Name\n{FIRST},x\n{FIRST + 1},y\n".encode()
BAD = f"CustomerId,Email\n{FIRST},no e-mail\n".encode()
_NUMBERS = count(1)


class SftpPlace:
    """The folder /night of a server, by the paths of its files."""

    def __init__(self, server: SftpServer) -> None:
        self.url, self.environment, self._root = server.url("/night/"), {}, server.root / "night"

    def put(self, path: str, content: bytes) -> None:
        (self._root / path).parent.mkdir(parents=True, exist_ok=True)
        (self._root / path).write_bytes(content)

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self._root.glob("**/*") if path.is_file())
        return {path.relative_to(self._root).as_posix(): path.read_bytes() for path in paths}


class S3Place:
    """A prefix of its own in a bucket."""

    def __init__(self, server: S3Server) -> None:
        self._prefix = f"night{next(_NUMBERS)}/"
        self.url, self.environment, self._server = f"s3://sheets/{self._prefix}", server.environment, server

    def put(self, path: str, content: bytes) -> None:
        self._server.put(self._prefix + path, content)

    def files(self) -> dict[str, bytes]:
        keys = (key for key in self._server.list_keys() if key.startswith(self._prefix) and not key.endswith("/"))
        return {key.removeprefix(self._prefix): self._server.get(key) for key in keys}


@pytest.fixture(params=["sftp", "s3"])
def place(request: pytest.FixtureRequest) -> Any:
    return SftpPlace(request.getfixturevalue("sftp")) if request.param == "sftp" else S3Place(
        request.getfixturevalue("s3")
    )  # fmt: skip


def without_ids(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the run ids in the names; of reports only that they are there."""
    return {
        f"{folder}/{name[25:] if folder != 'inbox' else name}": content if folder != "reports" else b""
        for (folder, _, name), content in ((path.partition("/"), content) for path, content in files.items())
    }


def test_doctor_tries_to_claim_a_file_there_and_says_what_waits(run_program: Any, place: Any, tmp_path: Path) -> None:
    run_program.environment |= {**place.environment, "HOME": str(tmp_path / "home")}
    waiting = {"inbox/a.csv": GOOD, "inbox/b.csv.part": GOOD}
    for path, content in waiting.items():
        place.put(path, content)
    found = run_program("doctor", "--nightly", place.url)
    assert found.exit_code == 0, found.err
    assert "is ready; 1 file to send" in found.told["folder"]["message"]
    assert "inbox/b.csv.part: It is incomplete" in found.told["folder"]["message"]
    assert place.files() == waiting


def test_files_are_sent_once_and_their_reports_written_back(
    run_program: Any, sandbox: Sandbox, place: Any, tmp_path: Path
) -> None:
    run_program.environment |= {**place.environment, "HOME": str(tmp_path / "home")}
    place.put("inbox/a #1?%20é.csv", GOOD)
    place.put("inbox/bad.csv", BAD)
    for name in ("upload.csv.part", ".hidden.csv"):
        place.put(f"inbox/{name}", GOOD)
    place.put("working/20260101-000000-abcdefgh-of-others.csv", GOOD)
    night = run_program("nightly", place.url, "--settle", 0)
    assert night.exit_code == 3, night.err
    *_, last = [json.loads(line) for line in night.out.splitlines()]
    assert last["folder"].rstrip("/") == place.url.rstrip("/")
    reasons = {each["file"]: each["reason"] for each in last["left"]}
    assert reasons == {
        "inbox/upload.csv.part": "incomplete", "inbox/.hidden.csv": "hidden",
        "working/20260101-000000-abcdefgh-of-others.csv": "foreign",
    }  # fmt: skip
    assert without_ids(place.files()) == {
        "inbox/upload.csv.part": GOOD, "inbox/.hidden.csv": GOOD, "working/of-others.csv": GOOD,
        "done/a #1_%20é.csv": GOOD, "failed/bad.csv": BAD,
        **dict.fromkeys(("reports/a #1_%20é-results.xlsx", "reports/a #1_%20é.json"), b""),
        **dict.fromkeys(("reports/bad-check.xlsx", "reports/bad.json"), b""),
    }  # fmt: skip
    before = place.files()
    again = run_program("nightly", place.url, "--settle", 0)
    assert (again.exit_code, place.files(), len(find_puts(sandbox))) == (0, before, 2), again.err


def test_a_folder_that_is_none_or_cannot_be_reached_ends_the_night(
    run_program: Any, sftp: SftpServer, tmp_path: Path
) -> None:
    run_program.environment["HOME"] = str(tmp_path / "home")
    for url, exit_code, message in (
        (sftp.url("/mistyped"), 2, "has no subfolder inbox/"),
        ("sftp://127.0.0.1:1/night", 4, "the host cannot be reached. "),
        ("https://127.0.0.1/night", 2, "is not a folder"),
        ("sftp://me:pa55word@127.0.0.1/night", 2, "holds a login or a password"),
    ):
        night = run_program("nightly", url, "--settle", 0)
        assert message.strip() in run_program("doctor", "--nightly", url).err
        assert (night.exit_code, message in night.err, "pa55word" in night.out + night.err) == (exit_code, True, False)
    assert list(sftp.root.iterdir()) == []
    assert run_program("nightly", sftp.url("/new"), "--create", "--settle", 0).exit_code == 0
    assert {path.name for path in (sftp.root / "new").iterdir()} >= {"inbox", "working", "done"}


class MeanwhileClock(Clock):
    """Instead of waiting, something happens; so it does at each look at the time."""

    def __init__(self, waited: Callable[[], object] = int, looked: Callable[[], object] = int) -> None:
        self.waited, self.looked = waited, looked

    def now(self) -> float:
        self.looked()
        return super().now()

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        assert seconds == 5.0
        self.waited()
        return stop.is_set()


def fetch(remote: RemoteFolder, clock: Clock, stop: threading.Event | None = None) -> None:
    remote.fetch(5.0, clock, stop or threading.Event(), create=False)


def open_remote(place: Any, tmp_path: Path, **given: Any) -> tuple[RemoteFolder, NightFolder]:
    """A folder there, and the local one that stands for it."""
    folder = NightFolder(tmp_path / "local", create=True)
    return RemoteFolder(parse_folder(place.url), folder, Settings(**given)), folder


def test_only_files_that_do_not_change_meanwhile_are_claimed(place: Any, tmp_path: Path) -> None:
    remote, folder = open_remote(place, tmp_path)
    for name in ("a.csv", "growing.csv"):
        place.put(f"inbox/{name}", GOOD)
    stop = threading.Event()
    fetch(remote, MeanwhileClock(waited=stop.set), stop)
    assert (folder.list_claimed(), len(place.files())) == ([], 2), "after a stop none is claimed"
    fetch(remote, MeanwhileClock(waited=lambda: place.put("inbox/growing.csv", GOOD * 2)))
    assert [claimed.original_name for claimed in folder.list_claimed()] == ["a.csv"]
    assert without_ids(place.files()) == {"inbox/growing.csv": GOOD * 2, "working/a.csv": GOOD}


@pytest.mark.parametrize("spare", [0, -1])
def test_a_file_of_more_than_the_maximum_is_not_downloaded(place: Any, tmp_path: Path, spare: int) -> None:
    remote, folder = open_remote(place, tmp_path, max_unpacked_bytes=len(GOOD) + spare)
    place.put("inbox/a.csv", GOOD)
    fetch(remote, MeanwhileClock())
    left = [(each.name, each.reason, each.message) for each in remote.find_left_files()]
    if spare < 0:
        message = f"It cannot be downloaded: It has more than {len(GOOD) - 1} bytes. Split it."
        assert left == [("working/a.csv", "not-downloaded", message)]
        remote, folder = open_remote(place, tmp_path)
        fetch(remote, MeanwhileClock())
        assert len(folder.list_claimed()) == 1, "the next night tries again"
    else:
        assert left == []
        assert [claimed.path.read_bytes() for claimed in folder.list_claimed()] == [GOOD]


@pytest.mark.parametrize(("is_cut_off", "target"), [(False, "done"), (True, "failed")])
def test_a_file_that_was_still_being_written_when_it_was_claimed_has_failed(
    place: Any, tmp_path: Path, is_cut_off: bool, target: str
) -> None:
    remote, folder = open_remote(place, tmp_path)
    place.put("inbox/a.csv", GOOD)
    fetch(remote, MeanwhileClock())
    (claimed,) = folder.list_claimed()
    if is_cut_off:
        place.put(f"working/{claimed.path.name}", GOOD * 2)
    remote.write_back(NIGHT)
    assert set(without_ids(place.files())) == {"working/a.csv"}, "it is not finished"
    folder.report_path(claimed, ".json").write_text("{}")
    folder.archive(claimed, folder.find_target(claimed, folder.done))
    remote.write_back(NIGHT)
    assert set(without_ids(place.files())) == {f"{target}/a.csv", "reports/a.json"}
    left = [(each.reason, each.is_overdue(NIGHT)) for each in remote.find_left_files()]
    assert left == ([("cut-off", True)] if is_cut_off else [])
    assert list(folder.state_folder.glob("claim-*")) == []


def test_a_file_that_is_gone_when_its_turn_comes_is_forgotten(
    sftp: SftpServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = SftpPlace(sftp)
    remote, folder = open_remote(place, tmp_path)
    place.put("inbox/a.csv", GOOD)
    fetch(remote, MeanwhileClock(looked=lambda: (sftp.root / "night/inbox/a.csv").unlink()))
    assert "not claimed" in caplog.text
    fetch(remote, MeanwhileClock())
    assert list(folder.state_folder.glob("claim-*")) == []


def test_a_move_in_s3_that_was_cut_off_is_completed(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = S3Place(s3)
    remote, folder = open_remote(place, tmp_path)

    def fail(*_: object) -> None:
        raise InputFileError("the connection ended")

    place.put("inbox/a.csv", GOOD)
    with monkeypatch.context() as patch:
        patch.setattr(S3Store, "delete", fail)
        fetch(remote, MeanwhileClock())
    assert without_ids(place.files()) == {"inbox/a.csv": GOOD, "working/a.csv": GOOD}
    fetch(remote, MeanwhileClock())
    assert without_ids(place.files()) == {"working/a.csv": GOOD}
    assert len(place.files()) == len(folder.list_claimed()) == 1


def test_the_local_folder_is_private(tmp_path: Path) -> None:
    for _ in range(2):
        root = find_local_root(parse_folder("sftp://host/night"), tmp_path / "missing" / "state")
    assert stat.S_IMODE(root.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("folder", ["sftp://me@host/exchange", "s3://sheets/nights/new", "sftp://host", "s3://sheets"])
def test_a_slash_at_the_end_names_the_same_folder(folder: str, tmp_path: Path) -> None:
    """Its lock in a shared journal, its local folder and its metrics go by that name."""
    with_slash, without = parse_folder(f"{folder}/"), parse_folder(folder)
    assert str(with_slash) == str(without)
    assert find_local_root(with_slash, tmp_path) == find_local_root(without, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1, 4))
def test_after_a_kill_anywhere_the_next_night_repairs_everything(
    sandbox: Sandbox, place: Any, tmp_path: Path, first: int
) -> None:
    """The night kills itself at its n-th step, over there or in the local folder, for every n: in three parts."""
    env = NightEnvironment(tmp_path / "unused", sandbox)
    program, every = "tests.nightly.killed_remote_night", 3
    command = [sys.executable, "-m", program, tmp_path, sandbox.base_url, place.url, first, every]
    ended = subprocess.run(
        list(map(str, command)), env=env.environment(**place.environment), capture_output=True, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(found) > 50 // every
    reports = ["bad-check.xlsx", "bad.json", "good-results.xlsx", "good.json"]
    filed = {"inbox": [], "working": [], "done": ["good.csv"], "failed": ["bad.csv"], "reports": reports}
    for each in found:
        assert (each["after"], each["runs"]) == (filed, [{"updated": 3}]), each
