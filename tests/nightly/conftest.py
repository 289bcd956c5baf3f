from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import NightEnvironment
from tests.nightly.receivers import Listener, PostOffice
from tests.remote.conftest import s3, sftp  # noqa: F401 - fixtures


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(customers=2_000)) as running:
        yield running


@pytest.fixture
def env(tmp_path: Path, sandbox: Sandbox) -> NightEnvironment:
    return NightEnvironment(tmp_path, sandbox)


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder from which no file can be moved in one step into those of the test."""
    for place in ("/dev/shm", "/tmp"):
        if Path(place).is_dir() and Path(place).stat().st_dev != tmp_path.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=place) as name:
                yield Path(name)
            return
    pytest.skip("no second file system here")


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    yield office
    office.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.close()
