"""Check a login with the service, and what follows if the service no longer accepts one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from bulkupdate.clock import format_local_time
from bulkupdate.errors import BulkUpdateError, SignInRefusedError
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.sessions import AcceptedLogin, Session
from bulkupdate.web.disk_space import is_full_error
from bulkupdate.web.page_context import PageContext

log = logging.getLogger("bulkupdate.web")

MAX_SECONDS = 10.0
"""Time limit of a sign-in, including waits for the service and for quota."""

MAX_ATTEMPTS = 2

RECHECK_SECONDS = 3600.0
"""How often the login of a session is checked again, as the account may have been disabled."""


class NotSignedInError(Exception):
    """The reason, as a sentence for the page. `status` is that of the answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


_DOWN = "Sellercloud is not answering, so signing in is not possible. Try again in a few minutes."
_REFUSED = "Sellercloud does not accept this user name and password."
_DISK_FULL = "The disk of the server is full, so signing in is not possible. Tell your administrator."


def check_login(context: PageContext, username: str, password: Secret) -> AcceptedLogin:
    """Sign in at the service and return the login with the user name that it returns. Raises `NotSignedInError`.

    If the quota of this hour is used up, the service cannot be asked: then the password is compared with that of
    another session or run of the same user, which the service has accepted.
    """
    try:
        with _open_client(context, username, password) as client:
            host = urlsplit(client.base_url).netloc
            capacity, now = client.quota.capacity(), context.clock.now()
            if capacity.free == 0 and capacity.free_at > now + 1:
                return _compare_login(context, username, password, host, format_local_time(capacity.free_at, now))
            client.sign_in()
            return AcceptedLogin(username, client.signed_in_as or username, password, host)
    except SignInRefusedError:
        raise NotSignedInError(_REFUSED, 401) from None
    except BulkUpdateError as error:
        log.warning("a sign-in cannot be checked: %s", error)
        raise NotSignedInError(_DISK_FULL if is_full_error(error) else _DOWN, 503) from None


@contextmanager
def _open_client(context: PageContext, username: str, password: Secret) -> Iterator[Client]:
    """Open a client that gives up after `MAX_SECONDS`."""
    stop = threading.Event()
    login = replace(
        context.settings, username=username, password=password, max_attempts=MAX_ATTEMPTS,
        timeout=min(context.settings.timeout, MAX_SECONDS / 2),
    )  # fmt: skip
    watchdog = threading.Timer(MAX_SECONDS, stop.set)
    watchdog.daemon = True
    client = open_client(login, context.clock, stop)
    try:
        watchdog.start()
        yield client
    finally:
        watchdog.cancel()
        client.close()


def _compare_login(context: PageContext, username: str, password: Secret, host: str, until: str) -> AcceptedLogin:
    user_key = fold_name(username)
    sessions = (*context.sessions.all(), *(job.session for job in context.jobs.alive()))
    known = [session for session in sessions if session.host == host and fold_name(session.username) == user_key]
    compared = [session.has_password(password) for session in known]  # all of them, so that timing reveals nothing
    if any(compared):
        return AcceptedLogin(username, known[compared.index(True)].identity, password, host)
    if known:
        raise NotSignedInError("This is not the password that this user name signed in with before.", 401)
    raise NotSignedInError(f"The hourly quota of this user name is used up. You can sign in after {until}.", 503)


def recheck_logins(context: PageContext) -> None:
    """Check the login of each session again that has not been checked for an hour, and end those that are refused."""
    now = context.clock.monotonic()
    checked: set[tuple[str, str]] = set()
    for session in context.sessions.all():
        is_due = session.is_password_known and now - session.checked >= RECHECK_SECONDS
        if not is_due or (session.user_key, session.host) in checked:
            continue
        checked.add((session.user_key, session.host))
        _recheck(context, session)


def _recheck(context: PageContext, session: Session) -> None:
    try:
        with _open_client(context, session.username, session.password) as client:
            if client.quota.capacity().free != 0:
                client.sign_in()
    except SignInRefusedError:
        context.end_refused(session)
    except BulkUpdateError:
        return  # the service is down: the next check decides
    for other in context.sessions.of_user(session.user_key):
        if other.has_password(session.password):
            context.sessions.note_accepted(other)
