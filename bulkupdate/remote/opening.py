"""Open a file or a store by its address. Each kind of address needs a library that the others do without."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager

from bulkupdate.errors import InputFileError
from bulkupdate.remote.address import Address
from bulkupdate.remote.download import Download
from bulkupdate.remote.remote_store import RemoteStore


@contextmanager
def open_download(
    address: Address, timeout: float, public_hosts_only_but: Collection[str] | None = None
) -> Iterator[Download]:
    """Open a file. `timeout` is the maximum time without an answer, in seconds.

    `public_hosts_only_but` None: any host. Else only hosts with public addresses, and these. Raises `InputFileError` if
    the file cannot be read, `UsageError` if an optional package is missing.
    """
    # each loads a library that the others do without
    if address.scheme in ("https", "http"):
        from bulkupdate.remote.https_file import open_https

        with open_https(address, timeout, public_hosts_only_but) as download:
            yield download
        return
    if public_hosts_only_but is not None:
        raise InputFileError(f"{address} cannot be read here.", remedy="Use an https:// address.")
    with open_store(address, timeout) as store:
        yield Download("", store.read(address.path))


def open_store(address: Address, timeout: float) -> AbstractContextManager[RemoteStore]:
    """Connect to where the address leads; `timeout` is the most seconds without an answer.

    Raises `UsageError` if an optional package is missing, and `InputFileError` if the connection fails.
    """
    # each loads a library that the other does without
    if address.scheme == "s3":
        from bulkupdate.remote.s3_store import open_s3

        return open_s3(address, timeout)
    from bulkupdate.remote.sftp_store import open_sftp

    return open_sftp(address, timeout)
