"""Rules for every page: host name, origin, session, size of forms, and the headers of every answer."""

from __future__ import annotations

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.network import is_loopback
from bulkupdate.web.page_context import current_context
from bulkupdate.web.password_again import require_password

MAX_FIELDS = 20
"""Fields that a form or a query may have; ours have ten at most."""

MAX_FORM_BYTES = 64 << 10
"""Size of a form without a file."""

FORM_BYTES = {"corrections.correct": 256 << 10}
"""A page of cells to be corrected may be larger: a hundred of two hundred characters each."""

PUBLIC = frozenset({"static", "auth.show", "auth.sign_in", "health.alive", "health.ready"})
"""Endpoints that need no session."""

SELF_REFRESHING = frozenset({"runs.progress", "sessions.seconds_left", "static"})
"""Endpoints that pages fetch by themselves, and that do not keep a session from becoming idle."""

REFRESHED = "refreshed"
"""The parameter of a page that has refreshed itself (`_refresh.html`); that does not keep a session either."""

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
STRICT_TRANSPORT = "max-age=31536000"
"""For a year the browser asks for this host over TLS only."""


def protect(app: Flask, names: tuple[str, ...]) -> None:
    """Guard every page of the application. `names` are the host names it is known by, besides those of loopback."""
    allowed = frozenset(host_of(name) for name in names)

    @app.before_request
    def guard() -> AnyResponse | None:
        if request.blueprint in ("health", "metrics"):
            return None  # requested under any address
        host = host_of(request.host)
        if not is_loopback(host) and host not in allowed:
            abort(400, "This server does not answer to the name in the address. Use the address that you were given.")
        if request.environ.get("bulkupdate.busy"):
            abort(503)
        _require_same_origin(host)
        is_touch = request.endpoint not in SELF_REFRESHING and REFRESHED not in request.args
        g.user_session = current_context().sessions.find(session.get("id", ""), touch=is_touch)
        if g.user_session is None and request.endpoint not in PUBLIC:
            return _ask_to_sign_in()
        _limit_form()
        if g.user_session is not None and is_touch:
            current_context().folders.pull()
        return None

    app.after_request(_add_headers)
    app.after_request(_share_changes)
    CSRFProtect(app)  # after the guard above, so that forms without a session are not parsed
    app.before_request(require_password)


def host_of(name: str) -> str:
    """Return the host of `host`, `host:port`, `[::1]` or `[::1]:port`, in lower case and without brackets."""
    name = name.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name if name.count(":") > 1 else name.partition(":")[0]


def _require_same_origin(host: str) -> None:
    """Refuse a form that another site sent. Ports are not compared: a proxy may pass the host without its port."""
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("Origin", "null")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403, "This form was sent by another site. Open the page from its own address and try again.")
    if origin != "null" and host_of(origin.partition("://")[2]) != host:
        abort(
            403,
            f"The address in your browser ({origin}) is not the one that the proxy passes on ({request.host}). "
            "Tell your administrator: the proxy has to pass on the host.",
        )


def _ask_to_sign_in() -> AnyResponse:
    if request.method not in ("GET", "HEAD"):
        abort(403, "Your session has ended, or you have not signed in. Sign in and try again.")
    if request.endpoint in SELF_REFRESHING or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        # not the form, whose new token would invalidate that of a form on screen
        abort(403, "Your session has ended.")
    wanted = request.full_path if request.query_string else request.path
    return redirect(url_for("auth.show", next=wanted if wanted != "/" else None), 303)


def _limit_form() -> None:
    if len(request.args) > MAX_FIELDS:
        abort(400, "The address has too many parameters.")
    if request.method == "POST":
        if request.endpoint != "uploads.upload":
            request.max_content_length = FORM_BYTES.get(request.endpoint or "", MAX_FORM_BYTES)
        if len(request.form) + len(request.files) > MAX_FIELDS:
            abort(413, "The form has too many fields.")


def _share_changes(response: Response) -> Response:
    if request.method == "POST" and g.get("user_session") is not None:
        current_context().folders.sync()
    return response


def _add_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    if request.endpoint == "static" and response.status_code in (200, 304):
        response.headers["Cache-Control"] = "no-cache"  # revalidated each time, sent again only if changed
    return response
