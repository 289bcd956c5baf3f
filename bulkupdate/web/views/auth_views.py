"""Signing in and out."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from bulkupdate.clock import format_duration
from bulkupdate.redaction import Secret
from bulkupdate.text import fold_name, is_control
from bulkupdate.web.accounts.login_throttle import Attempt
from bulkupdate.web.accounts.sessions import AcceptedLogin, EndReason, Session
from bulkupdate.web.login import NotSignedInError, check_login
from bulkupdate.web.page_context import PageContext, current_context

pages = Blueprint("auth", __name__)
log = logging.getLogger("bulkupdate.web")

MAX_NAME_LENGTH = 200
_MAX_BROWSER_LENGTH = 200

_WHY_ENDED = {
    EndReason.IDLE: "You were signed out because no page was opened for {idle}.",
    EndReason.TOO_OLD: "You were signed out because the session was 12 hours old.",
    EndReason.REFUSED: "Sellercloud no longer accepts the password that you signed in with. Sign in with the new one.",
    EndReason.PASSWORD_CHANGED: "You were signed out because you signed in elsewhere with a new password.",
    EndReason.BY_USER: "You signed out of this session from another one.",
    EndReason.BY_ADMIN: "An administrator ended your session.",
}

_ASKED_FOR_A_PAGE = "Sign in to open that page. After a restart of the server, everyone signs in again."

Answer = tuple[str, int] | tuple[str, int, dict[str, str]]


@pages.get("/sign-in")
def show() -> str:
    """Return the form."""
    return show_form("", None)


@pages.post("/sign-in")
def sign_in() -> Response | Answer:
    """Check the login with the service; a refusal counts as a wrong attempt."""
    username, password = request.form.get("username", "").strip(), Secret(request.form.get("password", ""))
    if not username or not password or len(username) > MAX_NAME_LENGTH:
        return show_form(username[:MAX_NAME_LENGTH], "Enter your user name and password."), 400
    if any(map(is_control, username)):
        return show_form("", "The user name contains an invisible character. Type it instead of pasting it."), 400
    context, address = current_context(), request.remote_addr or "unknown"
    user_key = fold_name(username)
    attempt = Attempt(address, user_key, context.devices.read(request, user_key))
    wait = context.throttle.register(attempt)
    if wait > 0:
        return _slow_down(context, username, address, wait)
    try:
        login = check_login(context, username, password)
    except NotSignedInError as refused:
        if refused.status != 401:
            context.throttle.discard(attempt)
        log.warning("sign-in from %s: refused (%d)", address, refused.status)
        context.audit.record(f"sign-in refused ({refused.status})", user=username, address=address)
        return show_form(username, str(refused)), refused.status
    context.throttle.reset(attempt)
    return _open_session(context, login, address, user_key)


def _slow_down(context: PageContext, username: str, address: str, wait: float) -> Answer:
    log.warning("sign-in from %s: too many attempts", address)
    context.audit.record("sign-in slowed down", user=username, address=address)
    message = (
        f"Too many attempts. Wait {format_duration(wait)} and try again; this keeps your account from being locked."
    )
    return show_form(username, message), 429, {"Retry-After": str(int(wait) + 1)}


def _open_session(context: PageContext, login: AcceptedLogin, address: str, user_key: str) -> Response:
    if (before := _find_session()) is not None:
        context.sessions.end(before.id)
    browser = (request.user_agent.string or "unknown browser")[:_MAX_BROWSER_LENGTH]
    opened = context.sessions.open(login, address, browser)
    session.clear()  # a new form token, and no data of an old session
    session["id"] = opened.token
    context.schedules.add_login(opened)
    log.info("sign-in from %s: accepted", address)
    context.audit.record("signed in", user=opened.identity, address=address)
    response = redirect(local_path(request.form.get("next", "")), 303)
    context.devices.add(request, response, user_key)
    return response


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session and delete its password. A run that is being sent continues."""
    context, ended = current_context(), _find_session()
    if ended is not None:
        context.audit.record("signed out", user=ended.identity, address=request.remote_addr or "")
        context.sessions.end(ended.id)
    session.clear()
    response = redirect(url_for("auth.show"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # not "cookies": the device stays known
    return response


def _find_session() -> Session | None:
    """Return the session of the browser's cookie; None if it has none that is alive."""
    return current_context().sessions.find(session.get("id", ""), touch=False)


def local_path(wanted: str) -> str:
    """Return the page to open after signing in: always one of this site, whatever was requested."""
    home = url_for("uploads.home")
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted or not wanted.isprintable():
        return home
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return home
    return home if parts.scheme or parts.netloc else wanted


def show_form(username: str, error: str | None) -> str:
    """Return the form; `error` says why the last attempt failed, None if there was none."""
    wanted = request.values.get("next", "")
    return render_template("sign_in.html", username=username, error=error, next=wanted, why=_explain_form(wanted))


def _explain_form(wanted: str) -> str:
    """Return why the user is asked to sign in; empty if that is obvious."""
    context = current_context()
    reason = context.sessions.why_ended(session.get("id", ""))
    if reason is None:
        return _ASKED_FOR_A_PAGE if wanted else ""
    idle = format_duration(context.sessions.idle_seconds)
    return f"{_WHY_ENDED[reason].format(idle=idle)} A run that is being sent continues."
