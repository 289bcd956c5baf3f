"""Error pages: a sentence about what went wrong, and nothing about the server's internals."""

from __future__ import annotations

import logging

from flask import Flask, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bulkupdate.crash_report import log_crash
from bulkupdate.errors import BusyError, LostConnectionError
from bulkupdate.web.disk_space import is_full_error
from bulkupdate.web.page_context import current_context
from bulkupdate.web.views.auth_views import show_form

log = logging.getLogger("bulkupdate.web")

BUSY_SECONDS = 5
"""After how long a client that got “busy” should try again."""

_TITLES = {
    400: "Invalid request",
    403: "No access",
    404: "Page not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "Too large",
    429: "Too many attempts",
    503: "Busy",
    507: "The disk is full",
}
_SENTENCES = {
    400: "This address or form does not exist on this server. Go back to the start and try again.",
    403: "You do not have access to this.",
    404: "It may have been deleted, or belong to another user. Your own sheets and runs are in the history.",
    405: "This address only works through the buttons of the pages.",
    413: "The upload is too large. Split the sheet, or save it without pictures, and try again.",
    503: "Too many requests are waiting at the moment. Nothing was changed; try again in a few seconds.",
    507: "The disk of the server is full. Nothing that was sent is lost. Tell your administrator; then try again.",
}


def handle_errors(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(CSRFError, _reject_form)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _report_bug)


def _reject_form(_error: CSRFError) -> tuple[str, int]:
    if request.endpoint == "auth.sign_in":  # left open across a restart, or in a second window
        return show_form("", "This form was out of date. Sign in again."), 403
    return _error_page(403, "This form is out of date, or did not come from this site. Reload the page and try again.")


def _answer_http_error(error: HTTPException) -> tuple[str, int] | tuple[str, int, dict[str, str]] | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # a redirect
    message = error.description if "description" in vars(error) else None
    message = message or _SENTENCES.get(status, "The server cannot answer this.")
    if status == 503:
        page = show_form("", message) if request.endpoint == "auth.sign_in" else _error_page(status, message)[0]
        return page, status, {"Retry-After": str(BUSY_SECONDS)}
    return _error_page(status, message)


def _report_bug(error: Exception) -> tuple[str, int]:
    """Save any other error for the administrator; its text may contain paths of the server or customer data."""
    context, session = current_context(), g.get("user_session")
    context.drop_journal()  # a transaction of it may be open
    if is_full_error(error):
        log.error("the disk is full: %s", request.endpoint)
        return _error_page(507, _SENTENCES[507])
    if isinstance(error, LostConnectionError):
        return _error_page(503, "The database of this server does not answer. Try again in a minute.")
    if isinstance(error, BusyError):
        return _error_page(409, "Another program is working on this run. Wait until it has ended.")
    passwords = [session.password.reveal()] if session and session.is_password_known else []
    number = log_crash(context.settings.state_dir, error, passwords, context.clock, log)
    return (
        render_template(
            "error.html",
            title="Something went wrong",
            message="It is not your fault, and nothing was lost: everything that was sent is in the history.",
            reference=number,
        ),
        500,
    )


def _error_page(status: int, message: str) -> tuple[str, int]:
    title = _TITLES.get(status, "This did not work")
    return render_template("error.html", title=title, message=message, reference=None), status
