"""Whether the server is alive and ready, for a proxy or a monitor; needs no session and reveals no secrets."""

from __future__ import annotations

from flask import Blueprint

from bulkupdate.errors import BulkUpdateError
from bulkupdate.web.disk_space import has_room
from bulkupdate.web.page_context import current_context

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> tuple[str, int, dict[str, str]]:
    """Report that the process answers."""
    return _answer("ok", 200)


@pages.get("/readyz")
def ready() -> tuple[str, int, dict[str, str]]:
    """Report whether uploads and runs would work: journal readable, disk not full, no shutdown in progress.

    The service is not checked, because that would cost requests of a user's quota.
    """
    context = current_context()
    if context.closing.is_set():
        return _answer("shutting down", 503)
    if not has_room(context.settings.state_dir, 0):
        return _answer("the disk is full", 503)
    try:
        context.journal.sequence()
    except BulkUpdateError:
        context.drop_journal()
        return _answer("the journal cannot be read", 503)
    return _answer("ready", 200)


def _answer(text: str, status: int) -> tuple[str, int, dict[str, str]]:
    return f"{text}\n", status, {"Content-Type": "text/plain; charset=utf-8"}
