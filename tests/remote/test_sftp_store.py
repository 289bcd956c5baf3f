"""Sheets over SFTP, from a real server: only from a host whose key is known, and whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
import pytest

from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.remote import sftp_store
from bulkupdate.remote.address import parse_address
from bulkupdate.remote.opening import open_store
from tests.remote.servers import SftpServer
from tests.remote.test_https_file import CSV, fetch

NAME = "/a #1?%20é.csv"


def test_a_file_is_read_with_the_keys_and_known_hosts_of_ssh(sftp: SftpServer, tmp_path: Path) -> None:
    (sftp.root / NAME[1:]).write_bytes(CSV * 50_000)
    assert fetch(sftp.url(NAME), tmp_path).read_bytes() == CSV * 50_000
    with pytest.raises(InputFileError, match="The data has more than 1,000 bytes"):
        fetch(sftp.url(NAME), tmp_path, max_unpacked_bytes=1_000)
    with pytest.raises(InputFileError, match="there is no such file"):
        fetch(sftp.url("/nosuch.csv"), tmp_path)
    with pytest.raises(InputFileError, match="the login is refused"):
        fetch(sftp.url(NAME, user="you"), tmp_path)
    with pytest.raises(InputFileError, match="the host cannot be reached"):
        fetch("sftp://127.0.0.1:1/a.csv", tmp_path)


@pytest.mark.parametrize("known", ["", "another key"])
def test_a_host_whose_key_is_not_the_known_one_is_refused(sftp: SftpServer, tmp_path: Path, known: str) -> None:
    (sftp.root / "a.csv").write_bytes(CSV)
    if known:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        known = f"[127.0.0.1]:{sftp.port} {other}"
    (tmp_path / "home" / ".ssh" / "known_hosts").write_text(known)
    with pytest.raises(InputFileError, match=r"the key of the host 127\.0\.0\.1 is not known, or"):
        fetch(sftp.url("/a.csv"), tmp_path)


def test_a_file_that_changes_or_a_connection_that_ends_in_the_middle_refuses_it(
    sftp: SftpServer, tmp_path: Path
) -> None:
    path = sftp.root / "a.csv"
    path.write_bytes(CSV * 50_000)
    with open_store(parse_address(sftp.url("/a.csv")), 2.0) as store:

        def read(meanwhile: Any) -> None:
            blocks = store.read("/a.csv")
            next(blocks)
            meanwhile()
            list(blocks)

        def replace() -> None:
            (sftp.root / "b").write_bytes(CSV)
            (sftp.root / "b").replace(path)

        with pytest.raises(InputFileError, match="it was changed while it was read"):
            read(lambda: path.open("ab").write(CSV))
        with pytest.raises(InputFileError, match="it was changed while it was read"):
            read(replace)
        with pytest.raises(InputFileError, match=r"the connection ended|the host cannot be reached"):
            read(sftp.cut_connections)


def test_files_are_written_whole_listed_and_moved(sftp: SftpServer) -> None:
    with open_store(parse_address(sftp.url("/")), 2.0) as store:
        store.make_folder("/night/done")
        store.make_folder("/night/done")
        for content in (b"one", b"two" * 100_000):
            store.write("/night/a.xlsx", content)
            assert (sftp.root / "night" / "a.xlsx").read_bytes() == content
        (sftp.root / "night" / "link.csv").symlink_to("a.xlsx")
        (listed,) = store.list_files("/night")
        assert (listed.name, listed.version) == ("a.xlsx", store.find_version("/night/a.xlsx"))
        store.move("/night/a.xlsx", "/night/done/a.xlsx")
        assert store.find_version("/night/a.xlsx") is None
        store.write("/night/b", b"")
        with pytest.raises(InputFileError):
            store.move("/night/b", "/night/done/a.xlsx")
        assert (sftp.root / "night" / "done" / "a.xlsx").stat().st_size == 300_000


def test_without_asyncssh_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp_store, "asyncssh", None)
    with pytest.raises(UsageError) as caught:
        fetch("sftp://example.com/a.csv", tmp_path)
    assert "pip install 'bulkupdate[remote]'" in str(caught.value.remedy)
