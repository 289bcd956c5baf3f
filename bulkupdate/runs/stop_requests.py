"""Stop a run that another process, perhaps on another host, has asked to stop in the journal."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bulkupdate.errors import JournalError, LostConnectionError, StoppedError, UsageError
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState

_POLL_SECONDS = 0.5
_END_SECONDS = 1.0

_LEASE_SECONDS = 20.0
"""The server frees the lock of a host that is silent after 25 seconds (`postgres_connection.py`)."""


def ask_to_stop(journal: Journal, run: Run, user: str) -> None:
    """Ask the process that sends a run to stop it; it does so within a second. Raises `UsageError` if none sends it."""
    if effective_state(journal, run) is not RunState.RUNNING:
        raise UsageError(f"Run {run.id} is not being sent: there is nothing to stop.")
    journal.ask_to_stop(run, f"{user} on {socket.gethostname()}")


def name_user() -> str:
    """Return the name of the user of this machine."""
    try:
        return getpass.getuser()
    except OSError:  # a container may have no name for its user
        return "a user"


@contextmanager
def heed_stop_requests(run: Run, context: RunContext) -> Iterator[None]:
    """Set the context's `stop` within a second after somebody has asked this run to stop."""
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(run, context, ended), name=f"stop-{run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS)  # not for longer: the database may not answer


def _watch(run: Run, context: RunContext, ended: threading.Event) -> None:
    """Ask again and again, with a connection of this thread's own.

    If the network to the database is silent, the run stops before the server gives its lock to another host: nothing
    that is in flight may then be sent a second time.
    """
    heard = context.clock.monotonic()
    while not ended.wait(_POLL_SECONDS):
        try:
            with Journal(context.settings.store, context.clock, checks_pages=False) as journal:
                while not ended.is_set():
                    if by := journal.read_stop_request(run):
                        _stop(context.stop, StoppedError(f"It was stopped by {by}."))
                        return
                    heard = context.clock.monotonic()
                    ended.wait(_POLL_SECONDS)
        except JournalError as error:
            now = context.clock.monotonic()
            if not (isinstance(error, LostConnectionError) and error.is_silent):
                heard = now  # a database that is down gives the lock to nobody
            elif now - heard > _LEASE_SECONDS:
                _stop(context.stop, error)
                return


def _stop(stop: threading.Event, reason: StoppedError) -> None:
    if isinstance(stop, Cancellation):
        stop.request_stop(reason)
    else:
        stop.set()
