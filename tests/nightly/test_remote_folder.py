"""A nightly folder over SFTP and in S3: each file once, results written back beside it, nothing of others touched."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.nightly.remote_folder import find_local_root, parse_folder
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST, find_puts
from tests.nightly.night_folders import NightEnvironment
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
