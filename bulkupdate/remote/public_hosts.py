"""Connect to public addresses only: what users of the page ask this server to fetch must not reach into its network.

A name is resolved once, every address that it has is checked, and the connection is made to a checked one, so that a
name that answers differently the next time gains nothing. The certificate is still that of the name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""The assigned part of IPv6; Python considers some of the rest global, too."""


class NotPublicError(Exception):
    """The host is not public. It is not one of urllib3's errors, as those are tried again or wrapped."""


class PublicHostsAdapter(HTTPAdapter):
    """Connects `requests` to hosts with public addresses only, and to those that are allowed by name."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pools make checked connections."""
        super().init_poolmanager(*args, **kwargs)
        allowed = self._allowed

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, allowed)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, allowed)

        pools: list[tuple[str, Any, Any]] = [
            ("http", HTTPConnectionPool, Plain), ("https", HTTPSConnectionPool, Encrypted),
        ]  # fmt: skip
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": connection}) for scheme, pool, connection in pools
        }


def is_public(text: str) -> bool:
    """Return whether an IP address is one of the public internet, also if it stands for another one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
        address = address.ipv4_mapped or address.sixtofour or nat64 or address
    is_assigned = address.version == 4 or address in _GLOBAL_UNICAST
    return is_assigned and address.is_global and not address.is_multicast


def _connect(connection: HTTPConnection, allowed: Collection[str]) -> socket.socket:
    host = connection.host.removeprefix("[").removesuffix("]").rstrip(".")
    try:
        found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, "the name is not known") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if host.lower() not in allowed and not all(map(is_public, addresses)):
        raise NotPublicError("its host is not on the public internet, and this server does not allow it by name")
    for address in addresses:
        try:
            return socket.create_connection((address, connection.port), connection.timeout)
        except TimeoutError:
            raise
        except OSError:
            continue
    raise NewConnectionError(connection, "no address answers")
