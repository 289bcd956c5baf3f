"""Ask for the password again where it is needed and was typed at another server, which keeps it in its own memory."""

from __future__ import annotations

from flask import g, render_template, request

from bulkupdate.redaction import Secret
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.login_throttle import Attempt
from bulkupdate.web.login import NotSignedInError, check_login
from bulkupdate.web.page_context import current_context, current_user

FIELD = "password_again"
NEEDS_PASSWORD = frozenset({
    "starts.start", "schedules.schedule", "changes.compare", "searches.search", "runs.resume", "runs.retry",
    "undo.compare", "exports.ask", "exports.read",
})  # fmt: skip
"""Endpoints that send requests with the login of the user."""


def require_password() -> tuple[str, int] | None:
    """Return the page that asks for the password, which repeats the request with it; None if nothing is missing."""
    if request.endpoint not in NEEDS_PASSWORD or current_user().is_password_known:
        return None
    typed = request.form.get(FIELD, "")
    message = _check(Secret(typed)) if typed else ""
    if typed and not message:
        return None
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in (FIELD, "csrf_token")]
    return render_template("password.html", fields=fields, error=message), 401


def _check(password: Secret) -> str:
    """Check the password, and keep it if the service accepts it; return why it does not, empty if it does."""
    context, session = current_context(), current_user()
    attempt = Attempt(request.remote_addr or "unknown", fold_name(session.username))
    if context.throttle.register(attempt) > 0:
        return "Too many attempts. Wait a minute and try again; this keeps your account from being locked."
    try:
        check_login(context, session.username, password)
    except NotSignedInError as refused:
        if refused.status != 401:
            context.throttle.discard(attempt)
        return str(refused)
    context.throttle.reset(attempt)
    context.sessions.keep_password(session.id, password)
    session.password = g.user_session.password = password
    return ""
