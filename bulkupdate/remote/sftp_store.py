"""Files over SFTP, with asyncssh, an optional dependency.

Login, keys and known hosts are those of ssh: ~/.ssh/config, the agent, ~/.ssh/id_*, ~/.ssh/known_hosts. A host whose
key is not known is refused.
"""

from __future__ import annotations

import asyncio
import posixpath
import secrets
import stat
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.remote.address import Address
from bulkupdate.remote.download import CHANGED, failed_error
from bulkupdate.remote.remote_store import RemoteFile

try:
    import asyncssh
except ImportError:  # the extra `remote` is not installed
    asyncssh = None  # type: ignore[assignment]  # what is not there is None

_BLOCK_BYTES = 1 << 18

T = TypeVar("T")


@contextmanager
def open_sftp(address: Address, timeout: float) -> Iterator[SftpStore]:
    """Connect; see `open_store`."""
    if asyncssh is None:
        raise UsageError(
            "sftp:// addresses need the package asyncssh, which is not installed.",
            remedy="Install it: pip install 'bulkupdate[remote]'.",
        )
    store = SftpStore(address, timeout)
    try:
        store.connect()
        yield store
    finally:
        store.close()


class SftpStore:
    """A connection. Its loop has a thread of its own, since the caller's may have a loop already, as in Jupyter.

    See `store.Store`.
    """

    has_folders = True

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()
        self._connection: Any = None
        self._sftp: Any = None

    def connect(self) -> None:
        """Connect and sign in. Raises `InputFileError`."""
        options: dict[str, Any] = {"username": self._address.username} if self._address.username else {}
        if self._address.port is not None:
            options["port"] = self._address.port

        async def sign_in() -> None:
            self._connection = await asyncssh.connect(self._address.host, **options)
            self._sftp = await self._connection.start_sftp_client(path_errors="surrogateescape")

        self._run(sign_in())

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._loop.call_soon_threadsafe(self._connection.abort)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._timeout)
        self._loop.close()

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the content; size and time are compared at the end."""
        path = _strip_home(path)
        file = self._run(self._sftp.open(path, "rb"))
        try:
            before, received = self._run(file.stat()), 0
            while block := self._run(file.read(_BLOCK_BYTES, received)):
                received += len(block)
                yield block
            if received != before.size or _version(self._run(self._sftp.stat(path))) != _version(before):
                raise failed_error(self._address, CHANGED)
        finally:
            if not self._loop.is_closed():  # the caller may have left off reading
                with suppress(InputFileError):
                    self._run(file.close())

    def list_files(self, folder: str) -> list[RemoteFile]:
        """Return the regular files of a folder."""
        found = self._run(self._sftp.readdir(_strip_home(folder)))
        return [
            RemoteFile(float(entry.attrs.mtime or 0), str(entry.filename), _version(entry.attrs))
            for entry in found
            if entry.attrs.permissions is not None and stat.S_ISREG(entry.attrs.permissions)
        ]

    def find_version(self, path: str) -> str | None:
        """Return size and time of the last change."""

        async def describe() -> str | None:
            try:
                return _version(await self._sftp.lstat(_strip_home(path)))
            except asyncssh.SFTPNoSuchFile:
                return None

        return self._run(describe())

    def write(self, path: str, content: bytes) -> None:
        """Write a file, under another name first."""
        target = _strip_home(path)
        temporary = posixpath.join(posixpath.dirname(target), f".bulkupdate-{secrets.token_hex(8)}.tmp")

        async def upload() -> None:
            async with self._sftp.open(temporary, "wb", asyncssh.SFTPAttrs(permissions=0o600)) as file:
                await file.write(content)
            await self._replace(temporary, target)

        self._run(upload(), seconds=self._timeout + len(content) / 10_000)

    def move(self, path: str, target: str) -> None:
        """Rename the file, in one step; a target that exists is not replaced."""
        self._run(self._sftp.rename(_strip_home(path), _strip_home(target)))

    def delete(self, path: str) -> None:
        """Delete a file."""
        self._run(self._sftp.remove(_strip_home(path)))

    def make_folder(self, path: str) -> None:
        """Create it for its owner only, unless it exists."""
        attributes = asyncssh.SFTPAttrs(permissions=0o700)
        self._run(self._sftp.makedirs(_strip_home(path), attributes, exist_ok=True))

    async def _replace(self, path: str, target: str) -> None:
        try:
            await self._sftp.posix_rename(path, target)
        except asyncssh.SFTPOpUnsupported:  # a server that is not OpenSSH: then there is a moment without the file
            with suppress(asyncssh.SFTPNoSuchFile):
                await self._sftp.remove(target)
            await self._sftp.rename(path, target)

    def _run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, seconds or self._timeout), self._loop)
        try:
            return future.result()
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            raise failed_error(self._address, *self._explain(error)) from error
        except BaseException:  # Ctrl-C
            future.cancel()
            raise

    def _explain(self, error: Exception) -> tuple[str, str | None]:
        host = self._address.host
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return (
                f"the key of the host {host} is not known, or is not the one that is known",
                f"Connect once with `sftp {host}`, compare the key with what its administrator says, and accept it.",
            )
        if isinstance(error, asyncssh.PermissionDenied):
            return "the login is refused", "Check the user name, and that your SSH key is accepted there."
        if isinstance(error, asyncssh.SFTPNoSuchFile):
            return "there is no such file or folder", None
        if isinstance(error, asyncssh.SFTPPermissionDenied):
            return "its rights do not allow it", "Ask the administrator of that host for the rights."
        if isinstance(error, TimeoutError):
            return "the host did not answer in time", "Try again later, or raise BULKUPDATE_TIMEOUT."
        if isinstance(error, OSError):
            return "the host cannot be reached", None
        return "the connection ended, or the host refused the request", "Try again."


def _version(attributes: Any) -> str:
    return f"{attributes.size}/{attributes.mtime}/{attributes.mtime_ns or 0}"


def _strip_home(path: str) -> str:
    """Return a path of the host; `/~/…` is below the home folder."""
    return path.removeprefix("/~/") or "." if path.startswith("/~/") else path
