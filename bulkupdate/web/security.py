"""What holds for every page: who may ask, from which name, how much; and the headers that go with each answer."""

from __future__ import annotations

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.web.page_context import current_context

MOST_FIELDS = 20
"""Fields a form or a query may have; ours have ten at most."""

MOST_FORM_BYTES = 64 << 10
"""Bytes of a form without a file."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")

PUBLIC = frozenset({"static", "signing_in.show", "signing_in.sign_in"})
"""What is to be had without signing in."""

SELF_REFRESHING = frozenset({"run_pages.progress", "static"})
"""What pages fetch by themselves: it does not keep a session from being idle."""

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
    def refuse_strangers() -> AnyResponse | None:
        if not request.host or not host_is_trusted(request.host, allowed):
            abort(400, "This server does not answer to the name in the address. Use the address that you were given.")
        g.login = current_context().sessions.find(
            session.get("login", ""), touch=request.endpoint not in SELF_REFRESHING
        )
        if g.login is None and request.endpoint not in PUBLIC:
            return _ask_to_sign_in()
        _limit_form()
        return None

    app.after_request(_add_headers)
    CSRFProtect(app)  # after our own guard: nothing of a stranger's upload is read


def _ask_to_sign_in() -> AnyResponse:
    if request.method not in ("GET", "HEAD"):
        abort(403, "Your session has ended, or you have not signed in. Sign in and try again.")
    if request.endpoint in SELF_REFRESHING or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        abort(403, "Your session has ended.")  # not the form: its new token would void that of a form on show
    wanted = request.full_path if request.query_string else request.path
    return redirect(url_for("signing_in.show", next=wanted if wanted != "/" else None), 303)


def _limit_form() -> None:
    if len(request.args) > MOST_FIELDS:
        abort(400, "The address has too many parameters.")
    if request.method == "POST":
        if request.endpoint != "sheets.upload":
            request.max_content_length = MOST_FORM_BYTES
        if len(request.form) + len(request.files) > MOST_FIELDS:
            abort(413, "The form has too many fields.")


def _add_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    if request.endpoint == "static" and response.status_code in (200, 304):
        response.headers["Cache-Control"] = "no-cache"  # asked for anew, sent anew only when changed
    return response
