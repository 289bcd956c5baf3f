"""The server's background work: deleting expired data, and checking logins again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bulkupdate.crash_report import log_crash, purge_crash_reports
from bulkupdate.web.login import recheck_logins
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.uploads.upload_store import purge_uploads
from bulkupdate.web.views.schedule_views import start_due

log = logging.getLogger("bulkupdate.web")

CLEANUP_SECONDS = 60.0
SCHEDULE_SECONDS = 2.0
_DAY_SECONDS = 86_400.0


def start_services(context: PageContext) -> None:
    """Start the workers of the checks, and the background work."""
    context.checks.start()
    repeated = ((clean_up, CLEANUP_SECONDS), (recheck_logins, CLEANUP_SECONDS), (start_due, SCHEDULE_SECONDS))
    for work, seconds in repeated:
        threading.Thread(target=_repeat, args=(context, work, seconds), name=work.__name__, daemon=True).start()


def close_services(context: PageContext) -> None:
    """Stop all runs; each can be resumed."""
    context.closing.set()
    context.checks.close()
    context.searches.close()
    context.jobs.close()


def clean_up(context: PageContext) -> None:
    """Delete expired data: idle sessions, old uploads, old crash reports."""
    context.sessions.remove_expired()
    context.folders.sync()
    settings = context.settings
    before = context.clock.now() - settings.upload_days * _DAY_SECONDS
    in_use = context.schedules.ids() | {job.run_id for job in context.jobs.alive()}
    if purge_uploads(settings.state_dir, before, in_use):
        days = "day" if settings.upload_days == 1 else "days"
        context.audit.record("purged", about=f"uploads older than {settings.upload_days:g} {days}")
    purge_crash_reports(settings.state_dir, before)


def _repeat(context: PageContext, work: Callable[[PageContext], None], seconds: float) -> None:
    while not context.closing.is_set():
        try:
            work(context)
        except Exception as error:  # noqa: BLE001  # a thread would end silently: report the bug, and continue
            log_crash(context.settings.state_dir, error, [], context.clock, log)
        context.clock.wait(seconds, context.closing)
