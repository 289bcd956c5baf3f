"""Rules for every page: host name, session, size of forms, and the headers of every answer."""

from __future__ import annotations

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.web.page_context import current_context

MAX_FIELDS = 20
"""Fields that a form or a query may have; ours have ten at most."""

MAX_FORM_BYTES = 64 << 10
"""Size of a form without a file."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")

PUBLIC = frozenset({"static", "auth.show", "auth.sign_in"})
"""Endpoints that need no session."""

SELF_REFRESHING = frozenset({"runs.progress", "static"})
"""Endpoints that pages fetch by themselves: they do not keep a session from becoming idle."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def protect(app: Flask, names: tuple[str, ...]) -> None:
    """Guard every page of the application. `names` are the host names it is known by, besides those of loopback."""
    allowed = (*LOOPBACK_NAMES, *names)

    @app.before_request
    def guard() -> AnyResponse | None:
        if not request.host or not host_is_trusted(request.host, allowed):
            abort(400, "This server does not answer to the name in the address. Use the address that you were given.")
        is_touch = request.endpoint not in SELF_REFRESHING
        g.user_session = current_context().sessions.find(session.get("id", ""), touch=is_touch)
        if g.user_session is None and request.endpoint not in PUBLIC:
            return _ask_to_sign_in()
        _limit_form()
        return None

    app.after_request(_add_headers)
    CSRFProtect(app)  # after the guard above, so that forms without a session are not parsed


def _ask_to_sign_in() -> AnyResponse:
    if request.method not in ("GET", "HEAD"):
        abort(403, "Your session has ended, or you have not signed in. Sign in and try again.")
    if request.endpoint in SELF_REFRESHING or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        abort(403, "Your session has ended.")  # not the form: its new token would invalidate that of a form on screen
    wanted = request.full_path if request.query_string else request.path
    return redirect(url_for("auth.show", next=wanted if wanted != "/" else None), 303)


def _limit_form() -> None:
    if len(request.args) > MAX_FIELDS:
        abort(400, "The address has too many parameters.")
    if request.method == "POST":
        if request.endpoint != "uploads.upload":
            request.max_content_length = MAX_FORM_BYTES
        if len(request.form) + len(request.files) > MAX_FIELDS:
            abort(413, "The form has too many fields.")


def _add_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    if request.endpoint == "static" and response.status_code in (200, 304):
        response.headers["Cache-Control"] = "no-cache"  # revalidated each time, sent again only if changed
    return response
