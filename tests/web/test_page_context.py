"""What the pages share: a refused login must not end more than its sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import JournalError
from bulkupdate.settings import Settings
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.page_context import PageContext
from tests.web.served import make_session


def test_a_database_that_is_away_when_a_login_is_refused_is_told_and_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread of a run or a search calls it: an error would be taken for a bug, or end the thread."""

    def fail(_session: Session) -> None:
        raise JournalError("The database cannot be reached.")

    context = PageContext.build(Settings(state_dir=tmp_path), Clock())
    monkeypatch.setattr(context.sessions, "end_refused", fail)
    context.end_refused(make_session())
    assert caplog.messages == ["the sessions of a refused password were not ended: The database cannot be reached."]
