"""The progress of a run on the page, asked by other threads than the one that sends."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.runs.run_records import StatusCounts
from bulkupdate.runs.sending.phases import Phase, PhaseProgress
from bulkupdate.sellercloud.client import open_client
from bulkupdate.settings import Settings
from bulkupdate.web.job_progress import JobProgress
from tests.postgres import database_of


def test_a_page_may_ask_for_the_end_of_a_run_whose_quota_is_closed(tmp_path: Path) -> None:
    settings = Settings(
        base_url="http://127.0.0.1:9/rest/api",
        username="u",
        password=Secret("pass"),
        state_dir=tmp_path,
        database=database_of(tmp_path),
    )
    client = open_client(settings, Clock(), threading.Event())
    progress = JobProgress(SimpleNamespace(calls=0), StatusCounts(), Clock())
    for phase in (Phase.READ_PREVIOUS, Phase.UPDATE):
        progress.note_phase(PhaseProgress(phase, started=Clock().now() - 60, done=20, total=40, requests=20))
    progress.record([], None, client)
    assert all(end is not None for _, end in progress.phases())
    progress.end()
    client.close()
    assert [end for _, end in progress.phases()] == [None, None]
