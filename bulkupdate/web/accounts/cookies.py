"""The cookies: the session's, and that of a device on which a user has signed in before."""

from __future__ import annotations

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.files import open_private
from bulkupdate.web.accounts.sessions import SessionStore

SESSION_COOKIE = "bulkupdate"
DEVICE_COOKIE = "bulkupdate-device"
DEVICE_SECONDS = 180 * 86_400
KEY_FILE = "device.key"
_KEY_BYTES = 32


def name_cookie(name: str, *, is_secure: bool) -> str:
    """Return the cookie's name: under TLS with the prefix that binds it to this host and to TLS."""
    return f"__Host-{name}" if is_secure else name


class SessionCookie(SecureCookieSessionInterface):
    """The cookie holds a signed random id; only the server decides when the session ends."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Return the content of the cookie, empty if there is none or it is not ours."""
        return self._read(app, request.cookies.get(name_cookie(SESSION_COOKIE, is_secure=request.is_secure), ""))

    def save_session(self, app: Flask, session: SecureCookieSession, response: Response) -> None:  # type: ignore[override]  # as Flask's own
        """Send the cookie if its content has changed."""
        if not session.modified:
            return
        response.vary.add("Cookie")
        serializer = self.get_signing_serializer(app)
        assert serializer is not None  # there is a secret key
        response.set_cookie(
            name_cookie(SESSION_COOKIE, is_secure=request.is_secure),
            str(serializer.dumps(dict(session))),
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )

    def read_session_id(self, app: Flask, header: str) -> str:
        """Return the session's id from the cookies of a request that Flask does not see; empty if there is none."""
        try:
            cookies = SimpleCookie(header)
        except CookieError:
            return ""
        for is_secure in (True, False):
            morsel = cookies.get(name_cookie(SESSION_COOKIE, is_secure=is_secure))
            if morsel is not None and (session_id := self._read(app, morsel.value).get("id")):
                return str(session_id)
        return ""

    def _read(self, app: Flask, value: str) -> SecureCookieSession:
        serializer = self.get_signing_serializer(app)
        assert serializer is not None  # there is a secret key
        try:
            return SecureCookieSession(serializer.loads(value)) if value else SecureCookieSession()
        except BadSignature:
            return SecureCookieSession()


class DeviceCookies:
    """The signed cookie by which a device is recognised, also after a restart, as the key is stored."""

    def __init__(self, state_dir: Path, shared: SessionStore | None = None) -> None:
        self._shared = shared
        self._path = state_dir / "web" / KEY_FILE
        self._serializer: URLSafeSerializer | None = None

    def read(self, request: Request, user_key: str) -> str:
        """Return the id of the device if this user has signed in on it before; else an empty text."""
        value = request.cookies.get(name_cookie(DEVICE_COOKIE, is_secure=request.is_secure), "")
        try:
            content = self._open().loads(value)
        except BadSignature:
            return ""
        return str(content["device"]) if _hash(user_key) in content["users"] else ""

    def add(self, request: Request, response: AnyResponse, user_key: str) -> None:
        """Record on the device that this user has signed in on it; the last five users are kept."""
        name = name_cookie(DEVICE_COOKIE, is_secure=request.is_secure)
        try:
            content = self._open().loads(request.cookies.get(name, ""))
        except BadSignature:
            content = {"device": secrets.token_urlsafe(16), "users": []}
        users = [_hash(user_key), *(user for user in content["users"] if user != _hash(user_key))][:5]
        response.set_cookie(
            name,
            str(self._open().dumps({"device": content["device"], "users": users})),
            max_age=DEVICE_SECONDS,
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )

    def _open(self) -> URLSafeSerializer:
        if self._serializer is None:
            self._serializer = URLSafeSerializer(self._load_key(), salt=DEVICE_COOKIE)
        return self._serializer

    def _load_key(self) -> bytes:
        """Return the key of the state folder, or that of several servers, created on first use.

        If it cannot be stored, return a key for this process.
        """
        if self._shared is not None:
            return self._shared.read_key(DEVICE_COOKIE)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open_private(self._path) as file:
                file.write(key := secrets.token_bytes(_KEY_BYTES))
        except FileExistsError:
            key = self._path.read_bytes()
        except OSError:
            key = secrets.token_bytes(_KEY_BYTES)
        return key if len(key) == _KEY_BYTES else secrets.token_bytes(_KEY_BYTES)


def _hash(user_key: str) -> str:
    return hashlib.sha256(user_key.encode()).hexdigest()[:24]
