"""The real run in the test's own process, for tests that need many runs, a clock or a watcher of their own."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import create_run, new_run_id
from bulkupdate.runs.reporting.run_result import RunResult
from bulkupdate.runs.run_records import Run, RunOptions, StatusCounts
from bulkupdate.runs.sending.phases import WatchPhase, ignore_phases
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.runs.sending.selection import Selection
from bulkupdate.runs.sending.sender import Watch
from bulkupdate.sellercloud.client import open_client
from bulkupdate.sellercloud.rate_limit import WINDOW_SECONDS
from bulkupdate.settings import Settings
from tests.postgres import database_of, place_of


@dataclass
class Driver:
    """Begins runs and carries them on; each time with a client and a journal of its own, as a new process would."""

    base_url: str
    folder: Path
    clock: Clock = field(default_factory=Clock)
    settings: dict[str, Any] = field(default_factory=dict)
    window_seconds: float = WINDOW_SECONDS
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def make_settings(self) -> Settings:
        given = {
            "base_url": self.base_url, "username": "sandbox", "password": Secret("sandbox"),
            "state_dir": self.state, "requests_per_hour": 0, "retry_wait": 0.0, **self.settings,
        }  # fmt: skip
        given.setdefault("database", database_of(self.state))
        return Settings(**given)

    def begin(self, sheet: Path, **options: Any) -> Run:
        settings = self.make_settings()
        checked = load_input_file(sheet, settings, SheetOptions())
        with open_context(settings, self.clock, self.stop) as context:
            run_id = new_run_id(self.clock.now())
            results = self.folder / f"results-{run_id}.csv"
            selection = Selection(checked, context.settings.rating_format, "")
            return create_run(context, run_id, selection, RunOptions(**options), results)

    def execute_run(
        self,
        run: Run,
        *,
        watch: Watch = lambda _outcomes, _waiting: None,
        limit: int | None = None,
        watch_phase: WatchPhase = ignore_phases,
    ) -> RunResult:
        settings = self.make_settings()
        self.stop.clear()
        with Journal(settings.store, self.clock) as journal:
            client = open_client(settings, self.clock, self.stop, window_seconds=self.window_seconds)
            with closing(client):
                context = RunContext(settings, journal, client, self.clock, self.stop)
                return execute_run(run, context, watch, limit, watch_phase)

    def tally(self, run: Run) -> StatusCounts:
        with Journal(place_of(self.state), self.clock) as journal:
            return journal.tally(run)
