"""Have an upload checked, and checked again once it is read in another way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from bulkupdate.text import fold_name
from bulkupdate.web.page_context import current_context
from bulkupdate.web.uploads.check_outcome import delete_outcome
from bulkupdate.web.uploads.check_worker import CheckTask, limit_settings
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.waiting import BRIEF_WAIT_SECONDS


def check_again(stored: Upload, change: Callable[[Upload], Upload | None]) -> None:
    """Change how a sheet is read, and check it again.

    Nothing happens if it has been sent, or if `change` returns None.
    """
    context = current_context()
    with context.one_at_a_time(stored.id):
        current = context.uploads.find(stored.id) or stored  # another tab may have changed it
        changed = None if has_begun(current) else change(current)
        if changed is not None:
            check_briefly(revise(changed))


def has_begun(stored: Upload) -> bool:
    """Return whether the sheet has been sent, or is being sent, or its rows are being selected for that."""
    context = current_context()
    return context.find_run(stored.id) is not None or context.jobs.find(stored.id) is not None


def revise(changed: Upload) -> Upload:
    """Store an upload that is read in another way from now on, and forget what its last check found."""
    revised = replace(changed, revision=changed.revision + 1)
    current_context().uploads.save(revised)
    delete_outcome(revised.folder)
    return revised


def check_briefly(stored: Upload) -> None:
    """Queue the check of an upload, and wait for it briefly; after that, a page that refreshes itself is shown."""
    submit_task(stored, is_report=False).wait(BRIEF_WAIT_SECONDS)


def submit_task(stored: Upload, *, is_report: bool) -> threading.Event:
    """Queue the check of an upload, or its report; the event is set when it is done."""
    task = CheckTask(stored, limit_settings(current_context().settings), is_report)
    return current_context().checks.submit(fold_name(stored.owner), task)
