"""Signing in and out. The login is Sellercloud's: it is tried there, and nothing of it is written down here."""

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

pages = Blueprint("signing_in", __name__)
log = logging.getLogger("bulkupdate.web")

LONGEST_SECONDS = 20.0
"""How long a sign-in may take in all, waiting for the service or for quota included."""

MOST_TRIES = 2
LONGEST_NAME = 200


class NotSignedInError(Exception):
    """Why not, in words for the page. `status` is that of the answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@pages.get("/sign-in")
def show() -> str:
    """Return the form."""
    return show_form("", None)


@pages.post("/sign-in")
def sign_in() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Try the login at the service; its refusal counts as a guess."""
    username, password = request.form.get("username", "").strip(), Secret(request.form.get("password", ""))
    if not username or not password or len(username) > LONGEST_NAME:
        return show_form(username[:LONGEST_NAME], "Enter your user name and password."), 400
    address = request.remote_addr or "unknown"
    wait = current_context().attempts.register(address, fold_name(username))
    if wait > 0:
        log.warning("sign-in from %s: too many tries", address)
        told = (
            f"Too many attempts. Wait {format_duration(wait)} and try again; this keeps your account from being locked."
        )
        return show_form(username, told), 429, {"Retry-After": str(int(wait) + 1)}
    try:
        login = try_login(current_context(), username, password)
    except NotSignedInError as refused:
        if refused.status != 401:
            current_context().attempts.discard(address, fold_name(username))
        log.warning("sign-in from %s: refused (%d)", address, refused.status)
        return show_form(username, str(refused)), refused.status
    current_context().attempts.reset(address, fold_name(username))
    current_context().sessions.end(session.get("login", ""))
    session.clear()  # a new form token, and nothing of before
    session["login"] = login.id
    log.info("sign-in from %s: accepted", address)
    return redirect(local_path(request.form.get("next", "")), 303)


@pages.post("/sign-out")
def sign_out() -> Response:
    """Forget the session and its password. A run at work goes on."""
    current_context().sessions.end(session.get("login", ""))
    session.clear()
    return redirect(url_for("signing_in.show"), 303)


def try_login(site: PageContext, username: str, password: Secret) -> Session:
    """Sign in at the service, in one try. Raises `NotSignedInError`.

    Where the hour's quota is used up, asking the service would mean to wait for it: then the password is compared with
    that of a session or run of the same person, which the service has accepted.
    """
    stop = threading.Event()
    given = replace(
        site.settings, username=username, password=password, max_attempts=MOST_TRIES,
        timeout=min(site.settings.timeout, LONGEST_SECONDS / 2),
    )  # fmt: skip
    watchdog = threading.Timer(LONGEST_SECONDS, stop.set)
    watchdog.daemon = True
    try:
        client = open_client(given, site.clock, stop)
    except BulkUpdateError:
        raise NotSignedInError(_DOWN, 503) from None
    try:
        host = urlsplit(client.base_url).netloc
        room = client.quota.room()
        now = site.clock.now()
        if room.free == 0 and room.free_at > now + 1:
            return _compare_login(site, username, password, host, format_local_time(room.free_at, now))
        watchdog.start()
        client.sign_in()
    except SignInRefusedError:
        raise NotSignedInError("Sellercloud does not accept this user name and password.", 401) from None
    except BulkUpdateError:
        raise NotSignedInError(_DOWN, 503) from None
    finally:
        watchdog.cancel()
        client.close()
    return site.sessions.open(username, password, host)


_DOWN = "Sellercloud is not answering, so signing in is not possible. Try again in a few minutes."


def _compare_login(site: PageContext, username: str, password: Secret, host: str, until: str) -> Session:
    person = fold_name(username)
    known = [*site.sessions.of_person(person), *(job.login for job in site.jobs.alive() if job.login.person == person)]
    compared = [login.has_password(password) for login in known if login.host == host]  # all: no timing tells which
    if any(compared):
        return site.sessions.open(username, password, host)
    if known:
        raise NotSignedInError("This is not the password that this user name signed in with before.", 401)
    raise NotSignedInError(f"The hourly quota of this user name is used up. You can sign in after {until}.", 503)


def local_path(wanted: str) -> str:
    """Where to go after signing in: a page of ours, whatever was asked for."""
    parts = urlsplit(wanted)
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or parts.scheme or parts.netloc:
        return url_for("sheets.home")
    return wanted if wanted.isprintable() and "\\" not in wanted else url_for("sheets.home")


def show_form(username: str, trouble: str | None) -> str:
    """Return the form, with what went wrong the last time; None: nothing did."""
    wanted = request.values.get("next", "")
    return render_template("sign_in.html", username=username, trouble=trouble, next=wanted)
