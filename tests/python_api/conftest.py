"""The settings of the functions: a sandbox, and a state folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import bulkupdate
from bulkupdate.redaction import Secret
from bulkupdate.sandbox.server import Sandbox
from tests.postgres import database_of


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> bulkupdate.Settings:
    return bulkupdate.Settings(
        base_url=sandbox.base_url, username="sandbox", password=Secret("sandbox"), state_dir=tmp_path / "state",
        database=database_of(tmp_path / "state"),
        requests_per_hour=0, retry_wait=0.0,
    )  # fmt: skip
