"""Files in a bucket of S3, or of a service that works like it, through pyarrow's own client.

Keys and region come from where all programs of AWS look: the environment, ~/.aws, the role of the machine.
AWS_ENDPOINT_URL names another service.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow.fs as fs

from bulkupdate.errors import UsageError
from bulkupdate.remote.address import Address
from bulkupdate.remote.download import CHANGED, failed_error
from bulkupdate.remote.remote_store import RemoteFile

_BLOCK_BYTES = 1 << 20

T = TypeVar("T")


@contextmanager
def open_s3(address: Address, timeout: float) -> Iterator[S3Store]:
    """Open the bucket; see `open_store`."""
    if not hasattr(fs, "S3FileSystem"):
        raise UsageError("This pyarrow was built without S3.", remedy="Install it from PyPI: pip install pyarrow.")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "https://"
    scheme, _, host = endpoint.rstrip("/").partition("://")
    files = fs.S3FileSystem(
        scheme=scheme, endpoint_override=host or None, connect_timeout=timeout, request_timeout=timeout,
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
    )  # fmt: skip
    yield S3Store(address, files)


class S3Store:
    """A bucket; a folder is what its keys have in common up to a slash. See `store.Store`."""

    has_folders = False

    def __init__(self, address: Address, files: Any) -> None:
        self._address = address
        self._files = files

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the content; it is read in parts, so its version is compared at the end."""
        before = self.find_version(path)
        with self._translate(lambda: self._files.open_input_file(self._key(path))) as stream:
            size, received = self._translate(stream.size), 0
            while block := self._translate(lambda: stream.read(_BLOCK_BYTES)):
                received += len(block)
                yield block
        if received != size or self.find_version(path) != before:
            raise failed_error(self._address, CHANGED)

    def list_files(self, folder: str) -> list[RemoteFile]:
        """Return the objects of a folder, with a request for each, as a list has no versions."""
        selector = fs.FileSelector(self._key(folder), allow_not_found=True)
        found = self._translate(lambda: self._files.get_file_info(selector))
        prefix = f"{folder.rstrip('/')}/" if folder.strip("/") else ""
        files = (entry for entry in found if entry.type is fs.FileType.File)
        return [
            RemoteFile(file.mtime_ns / 1e9, file.base_name, version)
            for file in files
            if (version := self.find_version(f"{prefix}{file.base_name}")) is not None
        ]

    def find_version(self, path: str) -> str | None:
        """Return the hash of the content, and when it was written."""

        def describe() -> dict[str, bytes] | None:
            try:
                with self._files.open_input_file(self._key(path)) as stream:
                    return dict(stream.metadata())
            except FileNotFoundError:
                return None

        found = self._translate(describe)
        if found is None:
            return None
        return "/".join(found.get(name, b"").decode() for name in ("ETag", "Last-Modified", "Content-Length"))

    def write(self, path: str, content: bytes) -> None:
        """Write an object, which appears when the upload is complete."""

        def upload() -> None:
            with self._files.open_output_stream(self._key(path)) as stream:
                stream.write(content)

        self._translate(upload)

    def move(self, path: str, target: str) -> None:
        """Copy the object, then delete it."""
        self._translate(lambda: self._files.copy_file(self._key(path), self._key(target)))
        self.delete(path)

    def delete(self, path: str) -> None:
        """Delete an object."""
        self._translate(lambda: self._files.delete_file(self._key(path)))

    def make_folder(self, path: str) -> None:
        """Do nothing: a key needs none."""

    def _key(self, path: str) -> str:
        return f"{self._address.host}/{path.strip('/')}"

    def _translate(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (OSError, ValueError) as error:
            raise failed_error(self._address, *_explain(error)) from error


def _explain(error: Exception) -> tuple[str, str | None]:
    """Return what is wrong and what to do; the text of the error is for programmers, and may quote headers."""
    text = str(error)
    if isinstance(error, FileNotFoundError):
        return "there is no such key or bucket", None
    if "ACCESS_DENIED" in text or "INVALID_ACCESS_KEY" in text or "SIGNATURE" in text or "HTTP status 403" in text:
        return "access is denied", "Check the keys (AWS_ACCESS_KEY_ID, …, or ~/.aws/credentials) and their rights."
    if "NETWORK_CONNECTION" in text or "curlCode" in text:
        return "the service cannot be reached, or the connection ended early", "Try again; check AWS_ENDPOINT_URL."
    if "PermanentRedirect" in text or "HTTP status 301" in text:
        return "the bucket is in another region", "Name its region: AWS_REGION."
    return "the service does not allow it", "Check bucket, key and region (AWS_REGION)."
