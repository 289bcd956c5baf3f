"""One server, one stand-in and two browsers for all tests of the page; each test signs in as people of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.browser import Browser
from tests.web.served import PASSWORD, Server

PEOPLE = "anna,bert,chris,dora,eva,fritz,gerd,hanna,ines,jan,admin"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The service: its customers and the requests it received are the judge."""
    with Sandbox(SandboxOptions(customers=60_000, username=PEOPLE, password=PASSWORD, requests_per_hour=0)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def server(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page, as people get it."""
    state = tmp_path_factory.mktemp("web") / "state"
    with Server(sandbox.base_url, state, admins="Admin") as server:
        yield server


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(_browser: Browser, server: Server) -> Browser:
    """A browser that knows nothing yet."""
    _browser.reset(server.url)
    return _browser


@pytest.fixture
def sample() -> Path:
    """The sample sheet: 200 good rows."""
    return Path(__file__).parents[2] / "bulkupdate" / "sample_data" / "customers.xlsx"
