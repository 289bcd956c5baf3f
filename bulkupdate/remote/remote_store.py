"""A place on another machine that keeps files: a folder over SFTP, or a prefix in a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, order=True)
class RemoteFile:
    """A file of a folder; the oldest sorts first. `changed` is when, by the clock of its machine.

    `version` changes with every change of the file; its text means nothing else.
    """

    changed: float
    name: str
    version: str


class RemoteStore(Protocol):
    """Its operations raise `InputFileError` if they fail. Paths are those of the address, taken literally."""

    has_folders: bool
    """Whether there are folders, between which a move is one step; else a crash in a move may leave both files."""

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the content of a file; the end is reached only if all of one version of it was read."""

    def list_files(self, folder: str) -> list[RemoteFile]:
        """Return the files of a folder, but no folders, links and devices."""

    def find_version(self, path: str) -> str | None:
        """Return the version of a file, None if it is not there."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file, as a whole or not at all, over what is there."""

    def move(self, path: str, target: str) -> None:
        """Move a file to a name that is free, or that a move which was cut off has left."""

    def delete(self, path: str) -> None:
        """Delete a file."""

    def make_folder(self, path: str) -> None:
        """Create a folder, unless it exists."""
