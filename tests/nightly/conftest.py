from __future__ import annotations

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
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    yield office
    office.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.close()
