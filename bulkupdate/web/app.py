"""The application: its parts, its pages, its guards."""

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
from bulkupdate.web import auth_views, run_views, upload_views
from bulkupdate.web.check_store import SHOWN_CHARACTERS
from bulkupdate.web.error_pages import handle_troubles
from bulkupdate.web.page_context import EXTENSION, PageContext
from bulkupdate.web.security import protect

MOST_PARTS = 40


class _Sessions(SecureCookieSessionInterface):
    """The cookie holds a random id, signed; it is marked as Secure wherever the page itself came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  # Flask's own signature
        return request.is_secure


def create_app(
    settings: Settings, clock: Clock | None = None, *, names: tuple[str, ...] = (), trust_proxy: bool = False
) -> Flask:
    """Return the pages for these settings. `names` are the host names it is known by, besides those of loopback.

    Its `extensions["bulkupdate"]` is the `PageContext`, which is to be started and closed. `trust_proxy`: a proxy
    before it says who asks, under which name, and whether over TLS.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # of this process: after a restart everybody signs in again
        SESSION_COOKIE_NAME="bulkupdate",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.upload_bytes,
        MAX_FORM_PARTS=MOST_PARTS,
        MAX_FORM_MEMORY_SIZE=512 << 10,  # counts the block at hand of a file too
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
    )
    app.session_interface = _Sessions()
    app.extensions[EXTENSION] = PageContext.build(settings, clock or Clock())
    protect(app, names)
    handle_troubles(app)
    for module in (auth_views, upload_views, run_views):
        app.register_blueprint(module.pages)
    _teach_templates(app)
    if trust_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]  # as Flask's documentation has it
    return app


def _teach_templates(app: Flask) -> None:
    app.jinja_options["trim_blocks"] = app.jinja_options["lstrip_blocks"] = True
    app.add_template_filter(lambda number: f"{number:,}", "number")
    app.add_template_filter(_format_moment, "moment")
    app.add_template_filter(_show_value, "value")
    app.context_processor(lambda: {"login": g.get("login"), "version": __version__})


def _format_moment(text: str) -> str:
    """Return a time of the journal by the wall clock: `14 Jan 2026, 09:38`."""
    if not text:
        return ""
    then = datetime.fromisoformat(text).astimezone()
    return f"{then.day} {then:%b %Y, %H:%M}"


def _show_value(text: str) -> str:
    """Return a cell's text for a page: what cannot be seen is made visible, what is long is cut."""
    shown = make_visible(text[: SHOWN_CHARACTERS + 1])
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"
