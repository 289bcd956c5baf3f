"""One server, one sandbox and one browser for all tests of the page; each test signs in its own users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.browser import Browser
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of

USERS = "anna,bert,chris,dora,eva,fritz,gerd,hanna,ines,jan,admin"
LOGINS = {"username": USERS, "password": PASSWORD}
MADE_ID = "20260114-093849-k3v9x2mq"
"""An id in the right form, of no sheet or run."""


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The service: its customers, and the requests that it received."""
    with Sandbox(SandboxOptions(customers=60_000, requests_per_hour=0, **LOGINS)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def server(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page, with an administrator."""
    state = tmp_path_factory.mktemp("web") / "state"
    with Server(sandbox.base_url, state, admins="Admin") as server:
        yield server


@pytest.fixture(scope="session")
def proxied(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page behind a proxy with TLS, with approval required."""
    state = tmp_path_factory.mktemp("proxied") / "state"
    options = ("--trust-proxy", "--public-name", "bulk.example.com")
    with Server(sandbox.base_url, state, *options, approval="required") as server:
        yield server


@pytest.fixture(scope="session")
def anna(server: Server) -> Visitor:
    """A signed-in user."""
    return Visitor(server.url, "anna")


@pytest.fixture(scope="session")
def run_of_anna(anna: Visitor) -> str:
    """The path of a finished run that is Anna's."""
    return path_of(anna.wait_for_end(anna.start(anna.upload("own.csv", make_csv(3)), snapshot="1")))


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(_browser: Browser, server: Server) -> Browser:
    """A browser without cookies."""
    _browser.reset(server.url)
    return _browser


@pytest.fixture
def sample() -> Path:
    """The sample sheet: 200 good rows."""
    return Path(__file__).parents[2] / "bulkupdate" / "sample_data" / "customers.xlsx"
