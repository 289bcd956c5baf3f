"""Signing in and out. The login is checked by Sellercloud; it is never stored here."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from bulkupdate.clock import format_duration, format_local_time
from bulkupdate.errors import BulkUpdateError, SignInRefusedError
from bulkupdate.sellercloud.client import open_client
from bulkupdate.settings import Secret
from bulkupdate.web.page_context import PageContext, current_context
from bulkupdate.web.sessions import Session, fold_name

pages = Blueprint("auth", __name__)
log = logging.getLogger("bulkupdate.web")

MAX_SECONDS = 20.0
"""Time limit of a sign-in, including waits for the service and for quota."""

MAX_ATTEMPTS = 2
MAX_NAME_LENGTH = 200


class NotSignedInError(Exception):
    """The reason, as a sentence for the page. `status` is that of the answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@pages.get("/sign-in")
def show() -> str:
    """Return the form."""
    return show_form("", None)


@pages.post("/sign-in")
def sign_in() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Check the login with the service; a refusal counts as a wrong attempt."""
    username, password = request.form.get("username", "").strip(), Secret(request.form.get("password", ""))
    if not username or not password or len(username) > MAX_NAME_LENGTH:
        return show_form(username[:MAX_NAME_LENGTH], "Enter your user name and password."), 400
    context, address = current_context(), request.remote_addr or "unknown"
    wait = context.throttle.register(address, fold_name(username))
    if wait > 0:
        log.warning("sign-in from %s: too many attempts", address)
        message = (
            f"Too many attempts. Wait {format_duration(wait)} and try again; this keeps your account from being locked."
        )
        return show_form(username, message), 429, {"Retry-After": str(int(wait) + 1)}
    try:
        opened = try_login(context, username, password)
    except NotSignedInError as refused:
        if refused.status != 401:
            context.throttle.discard(address, fold_name(username))
        log.warning("sign-in from %s: refused (%d)", address, refused.status)
        return show_form(username, str(refused)), refused.status
    context.throttle.reset(address, fold_name(username))
    context.sessions.end(session.get("id", ""))
    session.clear()  # a new form token, and nothing from before
    session["id"] = opened.id
    log.info("sign-in from %s: accepted", address)
    return redirect(local_path(request.form.get("next", "")), 303)


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session and delete its password. A run that is being sent continues."""
    current_context().sessions.end(session.get("id", ""))
    session.clear()
    return redirect(url_for("auth.show"), 303)


def try_login(context: PageContext, username: str, password: Secret) -> Session:
    """Sign in at the service and open a session. Raises `NotSignedInError`.

    If the quota of this hour is used up, the service cannot be asked: then the password is compared with that of
    another session or run of the same user, which the service has accepted.
    """
    stop = threading.Event()
    login = replace(
        context.settings,
        username=username,
        password=password,
        max_attempts=MAX_ATTEMPTS,
        timeout=min(context.settings.timeout, MAX_SECONDS / 2),
    )
    watchdog = threading.Timer(MAX_SECONDS, stop.set)
    watchdog.daemon = True
    try:
        client = open_client(login, context.clock, stop)
    except BulkUpdateError:
        raise NotSignedInError(_DOWN, 503) from None
    try:
        host = urlsplit(client.base_url).netloc
        capacity = client.quota.room()
        now = context.clock.now()
        if capacity.free == 0 and capacity.free_at > now + 1:
            return _compare_login(context, username, password, host, format_local_time(capacity.free_at, now))
        watchdog.start()
        client.sign_in()
    except SignInRefusedError:
        raise NotSignedInError("Sellercloud does not accept this user name and password.", 401) from None
    except BulkUpdateError:
        raise NotSignedInError(_DOWN, 503) from None
    finally:
        watchdog.cancel()
        client.close()
    return context.sessions.open(username, password, host)


_DOWN = "Sellercloud is not answering, so signing in is not possible. Try again in a few minutes."


def _compare_login(context: PageContext, username: str, password: Secret, host: str, until: str) -> Session:
    user_key = fold_name(username)
    running = (job.session for job in context.jobs.alive() if job.session.user_key == user_key)
    accepted = [known for known in (*context.sessions.of_user(user_key), *running) if known.host == host]
    compared = [known.has_password(password) for known in accepted]  # all of them, so that timing tells nothing
    if any(compared):
        return context.sessions.open(username, password, host)
    if accepted:
        raise NotSignedInError("This is not the password that this user name signed in with before.", 401)
    raise NotSignedInError(f"The hourly quota of this user name is used up. You can sign in after {until}.", 503)


def local_path(wanted: str) -> str:
    """Return the page to open after signing in: always one of this site, whatever was asked for."""
    parts = urlsplit(wanted)
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or parts.scheme or parts.netloc:
        return url_for("uploads.home")
    return wanted if wanted.isprintable() and "\\" not in wanted else url_for("uploads.home")


def show_form(username: str, error: str | None) -> str:
    """Return the form; `error` says why the last attempt failed, None if there was none."""
    wanted = request.values.get("next", "")
    return render_template("sign_in.html", username=username, error=error, next=wanted)
