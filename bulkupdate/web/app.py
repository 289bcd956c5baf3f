"""The Flask application: its services, pages and guards."""

from __future__ import annotations

import secrets
from datetime import datetime

from flask import Flask, g, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from bulkupdate import __version__
from bulkupdate.clock import Clock
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.web import auth_views, check_views, history_views, run_views, upload_views
from bulkupdate.web.check_store import SHOWN_CHARACTERS
from bulkupdate.web.error_pages import handle_errors
from bulkupdate.web.page_context import EXTENSION, PageContext
from bulkupdate.web.security import protect

MAX_PARTS = 40


class _SessionCookie(SecureCookieSessionInterface):
    """The cookie holds a random id, signed; it is marked Secure if the page itself came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  # Flask's own signature
        return request.is_secure


def create_app(
    settings: Settings, clock: Clock | None = None, *, names: tuple[str, ...] = (), trust_proxy: bool = False
) -> Flask:
    """Return the application for these settings. `names` are its host names, besides those of loopback.

    Its `extensions["bulkupdate"]` is the `PageContext`, which the caller starts and closes. `trust_proxy`: a proxy says
    from which address, under which name, and whether over TLS a request came.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # of this process: after a restart every user signs in again
        SESSION_COOKIE_NAME="bulkupdate",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.upload_bytes,
        MAX_FORM_PARTS=MAX_PARTS,
        MAX_FORM_MEMORY_SIZE=512 << 10,  # a file's current block counts too
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
    )
    app.session_interface = _SessionCookie()
    app.extensions[EXTENSION] = PageContext.build(settings, clock or Clock())
    protect(app, names)
    handle_errors(app)
    for module in (auth_views, upload_views, check_views, run_views, history_views):
        app.register_blueprint(module.pages)
    _extend_templates(app)
    if trust_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]  # as Flask's documentation has it
    return app


def _extend_templates(app: Flask) -> None:
    app.jinja_options["trim_blocks"] = app.jinja_options["lstrip_blocks"] = True
    app.add_template_filter(lambda number: f"{number:,}", "number")
    app.add_template_filter(_format_local, "moment")
    app.add_template_filter(_show_value, "value")
    app.context_processor(lambda: {"user_session": g.get("user_session"), "version": __version__})


def _format_local(text: str) -> str:
    """Return a time of the journal as local time: `14 Jan 2026, 09:38`."""
    if not text:
        return ""
    then = datetime.fromisoformat(text).astimezone()
    return f"{then.day} {then:%b %Y, %H:%M}"


def _show_value(text: str) -> str:
    """Return a cell's text for a page: invisible characters are made visible, long texts are cut."""
    shown = make_visible(text[: SHOWN_CHARACTERS + 1])
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"
