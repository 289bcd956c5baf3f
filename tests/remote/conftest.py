"""The servers as fixtures, with their clients' environment set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.servers import S3Server, SftpServer, serve_s3, serve_sftp, use_environment
from tests.remote.web_server import WebServer, serve_web


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serve_web() as server:
        yield server


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    home, root = tmp_path / "home", tmp_path / "served"
    root.mkdir()
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    use_environment(monkeypatch, HOME=str(home))
    with serve_sftp(root, home) as server:
        yield server


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with serve_s3() as server:
        use_environment(monkeypatch, **server.environment)
        yield server
