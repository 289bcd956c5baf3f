"""The page that says what went wrong, and nothing of how the server is made."""

from __future__ import annotations

from flask import Flask, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bulkupdate.errors import BulkUpdateError
from bulkupdate.web.auth_views import show_form
from bulkupdate.web.page_context import current_context

_TITLES = {
    400: "This request cannot be understood",
    403: "Not allowed",
    404: "There is no such page",
    405: "Not like this",
    413: "Too large",
    429: "Too many tries",
}
_SENTENCES = {
    400: "The address or the form is not one of this server's. Go back to the start and try again.",
    403: "This is not for you to see or to do.",
    404: "It may have been removed, or belong to another person. Your own sheets and runs are in the history.",
    405: "This address only works through the buttons of the pages.",
    413: "What you sent is larger than an upload may be. Split the sheet, or save it without pictures, and try again.",
}


def handle_troubles(app: Flask) -> None:
    """Answer every error with a page of our own."""
    app.register_error_handler(CSRFError, _refuse_foreign_form)
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(BulkUpdateError, _tell)
    app.register_error_handler(Exception, _internal_error_page)


def _refuse_foreign_form(_error: CSRFError) -> tuple[str, int]:
    if request.endpoint == "signing_in.sign_in":  # left open over a restart, or in a second window
        return show_form("", "This form was out of date. Type them once more."), 403
    return _page(403, "This form is out of date, or did not come from this site. Open the page anew and try again.")


def _explain(error: HTTPException) -> tuple[str, int] | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # a redirect
    own_words = error.description if "description" in vars(error) and status != 404 else None
    return _page(status, own_words or _SENTENCES.get(status, "The server cannot answer this."))


def _tell(error: BulkUpdateError) -> tuple[str, int]:
    """What our own rooms say: a sentence for people. Paths of the server are not for the browser, so it is kept too."""
    return _internal_error_page(error)


def _internal_error_page(error: Exception) -> tuple[str, int]:
    login = getattr(g, "login", None)
    number = current_context().crash_reports.report(error, [login.password] if login else [])
    return (
        render_template(
            "error.html",
            title="Something went wrong here",
            message="It is not your fault, and nothing was lost: what was sent is written down in the history.",
            reference=number,
        ),
        500,
    )


def _page(status: int, message: str) -> tuple[str, int]:
    title = _TITLES.get(status, "This did not work")
    return render_template("error.html", title=title, message=message, reference=None), status
