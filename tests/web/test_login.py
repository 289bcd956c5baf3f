"""Logins are checked again: an account may have been disabled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.settings import Settings
from bulkupdate.web.accounts.sessions import EndReason
from bulkupdate.web.login import RECHECK_SECONDS, check_login, recheck_logins
from bulkupdate.web.page_context import PageContext
from tests.postgres import database_of
from tests.web.conftest import LOGINS
from tests.web.served import PASSWORD


class LateClock(Clock):
    """The machine's clock, whose seconds can be moved on."""

    late = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.late


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(**LOGINS)) as sandbox:
        yield sandbox


def make_settings(sandbox: Sandbox, folder: Path) -> Settings:
    return Settings(
        base_url=sandbox.base_url, state_dir=folder, database=database_of(folder), session_minutes=600, timeout=5
    )


def test_a_disabled_account_loses_its_sessions_within_the_hour(sandbox: Sandbox, tmp_path: Path) -> None:
    clock = LateClock()
    context = PageContext.build(make_settings(sandbox, tmp_path), clock)
    login = check_login(context, "anna", Secret(PASSWORD))
    assert login.identity == "anna"
    first, second = context.sessions.open(login), context.sessions.open(login)
    sandbox.reset_log()
    recheck_logins(context)
    assert not sandbox.requests  # they have just been checked
    clock.late += RECHECK_SECONDS
    recheck_logins(context)
    recheck_logins(context)
    assert len(sandbox.requests) == 1  # one for each user, an hour
    clock.late += RECHECK_SECONDS
    sandbox.service.options = replace(sandbox.options, password="disabled")
    recheck_logins(context)
    assert not context.sessions.all()
    assert context.sessions.why_ended(first.token) is context.sessions.why_ended(second.token) is EndReason.REFUSED


def test_a_service_that_is_down_ends_no_session(sandbox: Sandbox, tmp_path: Path) -> None:
    clock = LateClock()
    settings = replace(make_settings(sandbox, tmp_path), retry_wait=0.01)
    context = PageContext.build(settings, clock)
    session = context.sessions.open(check_login(context, "anna", Secret(PASSWORD)))
    sandbox.stop()
    clock.late += RECHECK_SECONDS
    recheck_logins(context)
    assert [each.id for each in context.sessions.all()] == [session.id]
