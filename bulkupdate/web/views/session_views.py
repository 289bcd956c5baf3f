"""The sessions of a user, and for administrators those of all users and the names whose sign-in is slowed down."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.clock import format_duration, format_utc
from bulkupdate.web.accounts.sessions import EndReason, Session
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import is_admin

pages = Blueprint("sessions", __name__)


@dataclass(frozen=True)
class SessionLine:
    """A session as it is shown. `handle` names it in forms without revealing its id; times are ISO 8601, UTC."""

    handle: str
    username: str
    address: str
    browser: str
    started: str
    seen: str
    is_current: bool


@pages.get("/sessions")
def show() -> str:
    """Return the sessions that this user may end."""
    context, user = current_context(), current_user()
    is_for_all = is_admin(context.settings, user)
    slowed = context.throttle.slowed_names() if is_for_all else {}
    return render_template(
        "sessions.html",
        lines=[_describe_session(session) for session in _list_sessions()],
        is_admin=is_for_all,
        slowed=[(name, format_duration(wait)) for name, wait in sorted(slowed.items())],
    )


@pages.post("/sessions/end")
def end() -> Response:
    """End one session, or all but the current one."""
    context, user, handle = current_context(), current_user(), request.form.get("session", "")
    for session in _list_sessions():
        is_own = session.user_key == user.user_key
        is_meant = is_own and session.id != user.id if handle == "others" else _handle_of(session) == handle
        if is_meant:
            context.sessions.end(session.id, EndReason.BY_USER if is_own else EndReason.BY_ADMIN)
            if not is_own:
                context.schedules.drop_logins(session)
            context.audit.record("session ended", user=user.identity, about=session.identity)
    return redirect(url_for("sessions.show"), 303)


@pages.post("/sessions/release")
def release() -> Response:
    """Let a name sign in again at once, although there were too many wrong attempts. For administrators."""
    context, user, name = current_context(), current_user(), request.form.get("name", "")
    if not is_admin(context.settings, user):
        abort(403)
    context.throttle.release(name)
    context.audit.record("sign-in released", user=user.identity, about=name)
    return redirect(url_for("sessions.show"), 303)


@pages.get("/session")
def seconds_left() -> dict[str, float]:
    """Return after how many seconds the session ends; asking does not prolong it."""
    return {"seconds": current_context().sessions.seconds_left(current_user())}


@pages.post("/session/stay")
def stay() -> dict[str, float]:
    """Prolong the session, as opening a page does."""
    return seconds_left()


def _list_sessions() -> list[Session]:
    context, user = current_context(), current_user()
    if is_admin(context.settings, user):
        return [session for session in context.sessions.all() if session.host == user.host]
    return [session for session in context.sessions.of_user(user.user_key) if session.host == user.host]


def _describe_session(session: Session) -> SessionLine:
    context = current_context()
    offset = context.clock.now() - context.clock.monotonic()
    return SessionLine(
        _handle_of(session), session.identity, session.address, session.browser, format_utc(session.started + offset),
        format_utc(session.seen + offset), session.id == current_user().id,
    )  # fmt: skip


def _handle_of(session: Session) -> str:
    return session.id[-10:]
