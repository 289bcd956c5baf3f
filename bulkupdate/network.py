"""Addresses: whether one is on this machine, how it is shown, and why a server cannot listen on it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the host: localhost, 127.0.0.0/8 or ::1, with or without brackets."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def without_credentials(url: str) -> str:
    """Return the address without a user name and password that someone wrote into it."""
    parts = urlsplit(url)
    return url if "@" not in parts.netloc else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def describe_bind_error(error: OSError | OverflowError) -> str:
    """Return why nothing can listen at an address, without the address, which Python adds to the reason."""
    return (getattr(error, "strerror", None) or str(error)).partition(" (while attempting")[0]
