"""The page that says what went wrong, and nothing of how the server is made."""

from __future__ import annotations

from flask import Flask, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bulkupdate.errors import BulkUpdateError
from bulkupdate.web.auth_views import show_form
from bulkupdate.web.page_context import current_context

_TITLES = {
    400: "Invalid request",
    403: "No access",
    404: "Page not found",
    405: "Method not allowed",
    413: "Too large",
    429: "Too many attempts",
}
_SENTENCES = {
    400: "This address or form does not exist on this server. Go back to the start and try again.",
    403: "You do not have access to this.",
    404: "It may have been deleted, or belong to another user. Your own sheets and runs are in the history.",
    405: "This address only works through the buttons of the pages.",
    413: "The upload is too large. Split the sheet, or save it without pictures, and try again.",
}


def handle_troubles(app: Flask) -> None:
    """Answer every error with a page of our own."""
    app.register_error_handler(CSRFError, _refuse_foreign_form)
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(BulkUpdateError, _tell)
    app.register_error_handler(Exception, _internal_error_page)


def _refuse_foreign_form(_error: CSRFError) -> tuple[str, int]:
    if request.endpoint == "signing_in.sign_in":  # left open over a restart, or in a second window
        return show_form("", "This form was out of date. Sign in again."), 403
    return _page(403, "This form is out of date, or did not come from this site. Reload the page and try again.")


def _explain(error: HTTPException) -> tuple[str, int] | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # a redirect
    own_words = error.description if "description" in vars(error) and status != 404 else None
    return _page(status, own_words or _SENTENCES.get(status, "The server cannot answer this."))


def _tell(error: BulkUpdateError) -> tuple[str, int]:
    """Show an error of our own: a sentence for people. It is kept too, as server paths are not for the browser."""
    return _internal_error_page(error)


def _internal_error_page(error: Exception) -> tuple[str, int]:
    login = getattr(g, "login", None)
    number = current_context().crash_reports.report(error, [login.password] if login else [])
    return (
        render_template(
            "error.html",
            title="Something went wrong",
            message="It is not your fault, and nothing was lost: everything that was sent is in the history.",
            reference=number,
        ),
        500,
    )


def _page(status: int, message: str) -> tuple[str, int]:
    title = _TITLES.get(status, "This did not work")
    return render_template("error.html", title=title, message=message, reference=None), status
