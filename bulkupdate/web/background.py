"""The server's work beside the pages: deleting what has expired, and checking logins again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bulkupdate.crash_report import log_crash, purge_crash_reports
from bulkupdate.web.login import recheck_logins
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.upload_store import purge_uploads

log = logging.getLogger("bulkupdate.web")

CLEANUP_SECONDS = 60.0
_DAY_SECONDS = 86_400.0


def start_services(context: PageContext) -> None:
    """Start the workers of the checks, and the work beside the pages."""
    context.checks.start()
    for work in (clean_up, recheck_logins):
        threading.Thread(target=_repeat, args=(context, work), name=work.__name__, daemon=True).start()


def close_services(context: PageContext) -> None:
    """Stop all runs; each can be resumed."""
    context.closing.set()
    context.checks.close()
    context.searches.close()
    context.jobs.close()


def clean_up(context: PageContext) -> None:
    """Delete what has expired: idle sessions, old uploads, old crash reports."""
    context.sessions.remove_expired()
    settings = context.settings
    before = context.clock.now() - settings.upload_days * _DAY_SECONDS
    purge_uploads(settings.state_dir, before, frozenset(job.run_id for job in context.jobs.alive()))
    purge_crash_reports(settings.state_dir, before)


def _repeat(context: PageContext, work: Callable[[PageContext], None]) -> None:
    while not context.closing.is_set():
        try:
            work(context)
        except Exception as error:  # noqa: BLE001  # a thread ends silently: a bug has to be reported, and work goes on
            log_crash(context.settings.state_dir, error, [], context.clock, log)
        context.clock.wait(CLEANUP_SECONDS, context.closing)
