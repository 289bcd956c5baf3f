"""The address of a file or folder on another machine, displayed without anything that may be a credential."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from bulkupdate.errors import UsageError
from bulkupdate.network import is_loopback
from bulkupdate.redaction import Secret

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SCHEMES = ("https", "sftp", "s3")
_LOGIN_PLACES = {
    "https": "Put the login into ~/.netrc.",
    "sftp": "Use a key of SSH: an agent, ~/.ssh/config or ~/.ssh/id_*.",
    "s3": "Put the keys into the environment (AWS_ACCESS_KEY_ID, …) or ~/.aws/credentials.",
}


@dataclass(frozen=True)
class Address:
    """An address. `host` is the bucket of s3; `path` has no slash at its start in s3, and is taken literally.

    `full` is the whole of it, with a query that may hold a token; `str` leaves that out.
    """

    scheme: str
    host: str
    port: int | None
    username: str
    path: str
    full: Secret

    def __str__(self) -> str:
        user = f"{self.username}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{host}{port}/{self.path.lstrip('/')}"

    @property
    def name(self) -> PurePosixPath:
        """The last part of the path; in the address of a web server, `%20` and the like are decoded."""
        name = PurePosixPath(self.path).name
        return PurePosixPath(PurePosixPath(unquote(name)).name if self.scheme in ("http", "https") else name)


def is_address(text: str) -> bool:
    """Return whether the text is an address, not the name of a file."""
    return _ADDRESS.match(text) is not None


def parse_address(text: str) -> Address:
    """Return the parts of an address.

    Raises `UsageError` if it is of another kind, holds a password, or names nothing. Plain http is for this machine
    only.
    """
    match = _ADDRESS.match(text)
    if match is None:
        raise UsageError("That is not an address.", remedy="Write it like https://HOST/PATH.")
    scheme = match[1].lower()
    if scheme not in (*_SCHEMES, "http"):
        raise UsageError(
            f"Addresses of the kind {scheme}:// are not read.",
            remedy=f"Use {', '.join(f'{scheme}://' for scheme in _SCHEMES)}, or download the file and name that.",
        )
    if scheme == "s3":
        bucket, _, key = text[match.end() :].partition("/")
        address = Address(scheme, bucket, None, "", key, Secret(text))
        has_login = "@" in bucket
    else:
        address, has_login = _split(scheme, text)
    if has_login:
        raise UsageError(
            "The address holds a login or a password, which other programs of this machine can see.",
            remedy=_LOGIN_PLACES.get(scheme, _LOGIN_PLACES["https"]),
        )
    if not address.host:
        raise UsageError("The address names no host.", remedy=f"Write it like {scheme}://HOST/PATH.")
    if scheme == "http" and not is_loopback(address.host):
        raise UsageError(f"{address} is not encrypted.", remedy="Use its https:// address.")
    return address


def _split(scheme: str, text: str) -> tuple[Address, bool]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError("The address is not valid.", remedy=f"Write it like {scheme}://HOST/PATH.") from error
    path = parts.path if scheme != "sftp" else "/" + text.split("://", 1)[1].partition("/")[2]
    user = parts.username or ""
    address = Address(scheme, parts.hostname or "", port, user, path, Secret(text))
    return address, parts.password is not None or (scheme != "sftp" and bool(user))
