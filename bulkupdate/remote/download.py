"""Download a file by its address, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bulkupdate.errors import InputFileError
from bulkupdate.remote.address import Address

CHANGED = "it was changed while it was read"


@dataclass(frozen=True)
class Download:
    """A file that is being downloaded. `content_type` is what its server calls it, empty if it does not say.

    `blocks` raises `InputFileError` if the file is not received as a whole, or changes while it is read.
    """

    content_type: str
    blocks: Iterator[bytes]


def failed_error(address: Address, what: str, remedy: str | None = None) -> InputFileError:
    """Return the error for an address that failed; `what` says why, without quoting the whole address."""
    return InputFileError(f"{address}: {what}.", remedy=remedy or "Check the address, then try again.")
