"""The Flask application: its services, pages and guards."""

from __future__ import annotations

import socket
from datetime import datetime
from urllib.parse import urlsplit

from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix

from bulkupdate import __version__
from bulkupdate.clock import Clock
from bulkupdate.network import is_loopback
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.web.accounts.cookies import SESSION_COOKIE, SessionCookie
from bulkupdate.web.page_context import EXTENSION, PageContext, current_context
from bulkupdate.web.security import protect
from bulkupdate.web.server.compression import compress
from bulkupdate.web.uploads.check_store import SHOWN_CHARACTERS
from bulkupdate.web.views import (
    audit_views,
    auth_views,
    change_views,
    check_views,
    correction_views,
    customer_views,
    deletion_views,
    download_views,
    export_views,
    health_views,
    history_views,
    mapping_views,
    metrics_views,
    policy_views,
    review_views,
    run_rows_views,
    run_views,
    schedule_views,
    search_views,
    session_views,
    start_views,
    undo_views,
    upload_views,
)
from bulkupdate.web.views.error_pages import handle_errors

MAX_PARTS = 40
_PAGES = (
    auth_views, session_views, upload_views, check_views, start_views, schedule_views, search_views, run_views,
    correction_views, run_rows_views, change_views,
    history_views, customer_views, download_views, deletion_views, undo_views, export_views, audit_views, health_views,
    mapping_views, metrics_views, policy_views, review_views,
)  # fmt: skip


def create_app(
    settings: Settings, clock: Clock | None = None, *, names: tuple[str, ...] = (), trust_proxy: bool = False
) -> Flask:
    """Return the application for these settings. `names` are its host names, besides those of loopback.

    Its `extensions["bulkupdate"]` is the `PageContext`, see `background.py`. `trust_proxy`: client address, host name
    and TLS are taken from a proxy's headers.
    """
    app = Flask(__name__)
    context = PageContext.build(settings, clock or Clock())
    app.config.update(
        SECRET_KEY=context.sessions.read_key(SESSION_COOKIE),
        MAX_CONTENT_LENGTH=settings.upload_bytes + 1,  # a body of exactly the limit would count as cut off
        MAX_FORM_PARTS=MAX_PARTS,
        MAX_FORM_MEMORY_SIZE=512 << 10,  # a file's current block counts too
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
        WTF_CSRF_SSL_STRICT=False,  # our own guard compares the origin: it knows that a proxy may drop the port
    )
    app.session_interface = SessionCookie()
    app.extensions[EXTENSION] = context
    protect(app, names)
    app.after_request(compress)
    handle_errors(app)
    for module in _PAGES:
        app.register_blueprint(module.pages)
    _extend_templates(app)
    if trust_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]  # as in Flask's documentation
    return app


def _extend_templates(app: Flask) -> None:
    app.jinja_options["trim_blocks"] = app.jinja_options["lstrip_blocks"] = True
    app.add_template_filter(lambda number: f"{number:,}", "number")
    app.add_template_filter(_format_local, "moment")
    app.add_template_filter(_show_value, "value")
    app.context_processor(_describe_user)


def _describe_user() -> dict[str, object]:
    context, session = current_context(), g.get("user_session")
    seconds = context.sessions.seconds_left(session) if session else 0
    zone = datetime.now().astimezone().tzname()
    is_sandbox = session is not None and is_loopback(urlsplit(f"//{session.host}").hostname or "")
    return {
        "user_session": session, "session_seconds": int(seconds), "version": __version__, "zone": zone,
        "machine": socket.gethostname(), "is_sandbox": is_sandbox,
    }  # fmt: skip


def _format_local(text: str) -> str:
    """Return a time of the journal in the server's time zone: `14 Jan 2026, 09:38 CET`."""
    if not text:
        return ""
    then = datetime.fromisoformat(text).astimezone()
    return f"{then.day} {then:%b %Y, %H:%M %Z}"


def _show_value(text: str) -> str:
    """Return a cell's text for a page: invisible characters are made visible, long texts are cut."""
    shown = make_visible(text[: SHOWN_CHARACTERS + 1])
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"
