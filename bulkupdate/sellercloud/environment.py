"""What the environment says about connections: proxies, and the certificates to trust."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from bulkupdate.errors import UsageError
from bulkupdate.network import is_loopback


def unusable_address_error() -> UsageError:
    """Return the error for an address that cannot be used."""
    return UsageError(
        "The address of the service, or of the proxy in the environment, cannot be used.",
        remedy="Check BULKUPDATE_BASE_URL, HTTPS_PROXY and HTTP_PROXY.",
    )


def find_proxies(url: str) -> dict[str, str]:
    """Return the proxies of the environment for the address; none for this machine, whatever the environment says.

    Plain http is allowed to this machine because what is sent cannot leave it: it must not go to a proxy. Raises
    `UsageError` for a proxy that is not supported.
    """
    try:
        if is_loopback(urlsplit(url).hostname or ""):
            return {}
        proxies: dict[str, str] = get_environ_proxies(url)
    except ValueError:
        raise unusable_address_error() from None
    if (select_proxy(url, proxies) or "").lower().startswith("socks"):
        raise UsageError(
            "The environment names a SOCKS proxy, which is not supported.",
            remedy="Set HTTPS_PROXY (or ALL_PROXY) to an http:// proxy, or NO_PROXY to the service's host.",
        )
    return proxies


def find_certificates() -> str | bool:
    """Return the file or folder of certificates that the environment names; True for those of `requests`.

    Raises `UsageError` if it does not exist.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise UsageError(
                    f"{name} names {path}, which does not exist.", remedy="Correct or remove that variable."
                )
            return path
    return True
