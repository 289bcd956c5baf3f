"""Decide from its headers whether the body of a request is received at all."""

from __future__ import annotations

import tempfile
import weakref
from collections import defaultdict
from contextlib import suppress

from flask import Flask

from bulkupdate.errors import StoppedError
from bulkupdate.web.accounts.cookies import SessionCookie
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.disk_space import has_room
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.security import MAX_FORM_BYTES
from bulkupdate.web.server.connections import Gate, RequestHead, RequestRefusal

MAX_UPLOADS_AT_ONCE = 4
"""Uploads of one user that may arrive at the same time."""

NOT_SIGNED_IN = RequestRefusal(
    403, "Not signed in", "Your session has ended, or you have not signed in. Sign in and send the file again."
)
FORM_TOO_LARGE = RequestRefusal(413, "Too large", "The form is too large. Go back and enter less text.")
NO_ROOM = RequestRefusal(
    507, "The disk is full", "There is no room for this file on the server. Tell your administrator: the disk is full."
)
TOO_MANY = RequestRefusal(
    429, "Too many uploads", f"{MAX_UPLOADS_AT_ONCE} uploads are on their way already. Wait until they have arrived."
)


def make_gate(app: Flask, context: PageContext) -> Gate:
    """Return the gate: a large body is received only if a signed-in user uploads it and there is room for it."""
    receiving: defaultdict[str, weakref.WeakSet[object]] = defaultdict(weakref.WeakSet)
    cookie = app.session_interface
    assert isinstance(cookie, SessionCookie)

    def find_session(head: RequestHead) -> Session | None:
        with suppress(StoppedError):  # a database that does not answer
            return context.sessions.find(cookie.read_session_id(app, head.cookies), touch=False)
        return None

    def refuse(head: RequestHead, request: object) -> RequestRefusal | None:
        if head.length is not None and head.length <= MAX_FORM_BYTES:
            return None
        session = find_session(head)
        if session is None:
            return NOT_SIGNED_IN
        if (head.command, head.path) != ("POST", "/sheets"):
            return FORM_TOO_LARGE
        expected = context.settings.upload_bytes if head.length is None else head.length
        if not all(has_room(folder, expected) for folder in (tempfile.gettempdir(), context.settings.state_dir)):
            return NO_ROOM
        if len(receiving[session.user_key]) >= MAX_UPLOADS_AT_ONCE:
            return TOO_MANY
        receiving[session.user_key].add(request)
        return None

    return refuse
