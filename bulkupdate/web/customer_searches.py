"""Searches of the service for the customers of uploads: one thread each, with the login of the user who asked."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bulkupdate.clock import Clock
from bulkupdate.crash_report import log_crash
from bulkupdate.errors import BulkUpdateError, BusyError, SignInRefusedError, StoppedError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.matching.key import find_key
from bulkupdate.runs.matching.search import CustomerSearch, make_search
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.jobs import CLOSING_SECONDS, Jobs
from bulkupdate.web.uploads.check_outcome import delete_outcome
from bulkupdate.web.uploads.found_customers import read_wanted, save_found
from bulkupdate.web.uploads.upload_store import Upload

log = logging.getLogger("bulkupdate.web")


STOP_WAIT_SECONDS = 2.0


class _CostsMoreError(Exception):
    """The search takes more requests than the user has agreed to."""


@dataclass
class Search:
    """A search: `agreed` is how many requests the user has agreed to, `needed` how many it takes, 0 until it is known.

    `error` is what ended it before all was found, None if nothing did.
    """

    upload: Upload
    session: Session
    agreed: int
    needed: int = 0
    done: int = 0
    waiting: WaitState | None = None
    error: BulkUpdateError | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it is still searching."""
        return self.thread is not None and self.thread.is_alive()

    def watch(self, count: int, waiting: WaitState | None) -> None:
        """Note that this many more requests have ended."""
        self.done += count
        self.waiting = waiting


class Searches:
    """All searches of this server. Thread-safe. Their results are in the journal, so a stop loses nothing."""

    def __init__(self, settings: Settings, clock: Clock, jobs: Jobs) -> None:
        self.on_refused: Callable[[Session], None] = lambda _session: None
        self.on_found: Callable[[], None] = lambda: None
        self._settings, self._clock, self._jobs = settings, clock, jobs
        self._searches: dict[str, Search] = {}
        self._lock = threading.Lock()

    def launch(self, upload: Upload, session: Session, agreed: int) -> bool:
        """Search for the customers of an upload; False if the user has another search running."""
        with self._lock:
            alive = [search for search in self._searches.values() if search.is_alive]
            if any(search.session.user_key == session.user_key for search in alive):
                return False
            search = Search(upload, session, agreed)
            search.thread = threading.Thread(target=self._work, args=(search,), name=f"search-{upload.id}", daemon=True)
            self._searches = {other.upload.id: other for other in alive} | {upload.id: search}
            search.thread.start()
        return True

    def find(self, upload_id: str) -> Search | None:
        """Return the last search of an upload; None if there was none or it is no longer known."""
        return self._searches.get(upload_id)

    def is_running(self, upload_id: str) -> bool:
        """Return whether the customers of an upload are being searched for."""
        search = self.find(upload_id)
        return search is not None and search.is_alive

    def stop(self, upload_id: str) -> None:
        """Stop the search of an upload, if there is one, and wait briefly for its end: what it has found is kept."""
        search = self.find(upload_id)
        if search is not None and search.thread is not None:
            search.stop.set()
            search.thread.join(STOP_WAIT_SECONDS)

    def close(self) -> None:
        """Stop all searches."""
        for search in list(self._searches.values()):
            search.stop.set()
            if search.thread is not None:
                search.thread.join(CLOSING_SECONDS)

    def _work(self, search: Search) -> None:
        try:
            with (
                Journal(self._settings.store, self._clock) as journal,
                journal.home.hold_lock(f"search-{search.upload.id}", 0) as is_held,
                self._jobs.open_run_context(search.session, journal, search.stop) as context,
            ):
                if not is_held:
                    raise BusyError("Another server is searching for these customers. Reload this page in a while.")
                name, wanted = read_wanted(search.upload.folder)
                key = find_key(name or search.upload.key, context.settings.heading_map)
                self._run(search, make_search(context, key, wanted))
        except BulkUpdateError as error:
            search.error = error
            if isinstance(error, SignInRefusedError):
                self.on_refused(search.session)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
            search.error = StoppedError(f"What was found could not be stored on the server: {reason}.")
        except Exception as bug:  # noqa: BLE001  # a thread would end silently: report the bug
            log_crash(self._settings.state_dir, bug, [search.session.password.reveal()], self._clock, log)

    def _run(self, search: Search, customers: CustomerSearch) -> None:
        def refuse(_message: str) -> None:
            raise _CostsMoreError

        search.needed = customers.begin()
        if search.needed > search.agreed:
            return
        try:
            found = customers.run(search.watch, refuse)
        except _CostsMoreError:
            search.needed = customers.begin()  # takes no request: all that it asks is in the journal
            return
        cost = f"Finding the customers took {pluralize(customers.client.calls, 'request')}."
        save_found(search.upload.folder, customers.keys, found, (cost, *customers.notes))
        delete_outcome(search.upload.folder)
        self.on_found()
