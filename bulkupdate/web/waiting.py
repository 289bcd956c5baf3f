"""Jobs that read customers while their user waits: briefly for an answer, then on a page that refreshes itself."""

from __future__ import annotations

from bulkupdate.clock import format_local_time
from bulkupdate.errors import InterruptedRunError
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import current_context
from bulkupdate.web.page_words import say_on_page

BRIEF_WAIT_SECONDS = 2.5
"""How long an answer waits for what may be done by then."""


def wait_briefly(job: Job | None) -> None:
    """Wait until the job has read its customers, but not for long; None: there is none to wait for."""
    if job is not None:
        job.has_begun.wait(BRIEF_WAIT_SECONDS)


def stop_reading(job: Job | None) -> None:
    """Ask the job to stop, and wait for that briefly."""
    if job is not None:
        job.stop.set()
        wait_briefly(job)


def describe_wait(job: Job | None) -> str:
    """Return until when the job waits for quota; empty if it does not."""
    waiting = job.waiting if job is not None else None
    return format_local_time(waiting.until, current_context().clock.now()) if waiting else ""


def explain_failure(job_id: str, when_stopped: str) -> str:
    """Return why the last job of this id failed, `when_stopped` if its user stopped it; empty if it did not fail."""
    context = current_context()
    error = context.jobs.last_error(job_id)
    if error is None:
        return ""
    return (
        when_stopped if isinstance(error, InterruptedRunError) else say_on_page(str(error), context.settings.state_dir)
    )
