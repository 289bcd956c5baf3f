"""Copies of small files on several hosts: each host keeps its own, and all are kept the same by way of the database."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from bulkupdate.files import replace_file
from bulkupdate.redaction import Secret
from bulkupdate.store.shared_store import NOW, SharedStore

_NEXT = "(SELECT coalesce(max(version), 0) + 1 FROM files)"
_PUT = f"""
INSERT INTO files (path, content, version, changed) VALUES (?, ?, {_NEXT}, {NOW})
ON CONFLICT (path) DO UPDATE SET content = excluded.content, version = excluded.version, changed = excluded.changed
"""  # noqa: S608 - constants
_DELETE_BEFORE = f"""
UPDATE files SET content = NULL, version = old.version, changed = {NOW}
FROM (SELECT path, {_NEXT} + row_number() OVER () AS version FROM files
    WHERE content IS NOT NULL AND path LIKE ?1 AND split_part(path, '/', 2) IN (
        SELECT split_part(path, '/', 2) FROM files WHERE path LIKE ?1 GROUP BY 1 HAVING max(changed) < ?2)) AS old
WHERE files.path = old.path
"""  # noqa: S608 - constants

_ROUNDING_SECONDS = 0.001
"""A file system keeps a time less exactly than the database."""

_Signature = tuple[int, int]


class FileMirror:
    """The files of `root` that `is_shared` says are shared, by their paths in it. Thread-safe.

    A file that was changed here wins over what another host has written; at the start the newer one does. `on_change`
    is called with each file that another host has changed or deleted. Raises `StoppedError` if the database cannot be
    used.
    """

    def __init__(
        self,
        store: SharedStore,
        root: Path,
        folder: str,
        is_shared: Callable[[Path], bool],
        on_change: Callable[[Path], None] = lambda _path: None,
    ) -> None:
        self._store, self._root, self._folder = store, root, folder
        self._is_shared, self._on_change = is_shared, on_change
        self._last = 0
        self._known: dict[str, _Signature] = {}
        self._lock = threading.Lock()

    def pull(self) -> None:
        """Copy what other hosts have changed since the last time."""
        with self._lock:
            self._pull()

    def sync(self) -> None:
        """Copy what other hosts have changed, then give them what has changed here."""
        with self._lock:
            self._pull()
            here = {path.relative_to(self._root).as_posix(): path for path in self._list_files()}
            for name in self._known.keys() - here.keys():
                self._store.execute((_PUT, (name, None)))
                del self._known[name]
            for name, path in here.items():
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    self._push(name, path)

    def _push(self, name: str, path: Path) -> None:
        if self._known.get(name) != (signature := _sign(path)):
            self._store.execute((_PUT, (name, path.read_bytes())))
            self._known[name] = signature

    def _pull(self) -> None:
        changed = self._store.query(
            "SELECT path, version, changed FROM files WHERE version > ? AND path LIKE ? ORDER BY version",
            self._last, f"{self._folder}/%",
        )  # fmt: skip
        for name, version, at in changed:
            path = self._root / name
            if self._may_replace(name, path, at):
                for (content,) in self._store.query("SELECT content FROM files WHERE path = ?", name):
                    self._take(name, path, content, at)
            self._last = version

    def _may_replace(self, name: str, path: Path, at: float) -> bool:
        """Return whether the file here is the one that was last shared, or, at the start, an older one."""
        try:
            signature = _sign(path)
        except OSError:
            return True
        return self._known[name] == signature if name in self._known else path.stat().st_mtime <= at + _ROUNDING_SECONDS

    def _take(self, name: str, path: Path, content: bytes | None, at: float) -> None:
        if content is None:
            path.unlink(missing_ok=True)
            self._known.pop(name, None)
            self._on_change(path)
        elif not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replace_file(path) as stream:
                stream.write(content)
            os.utime(path, (at, at))
            self._on_change(path)
        if content is not None:
            self._known[name] = _sign(path)

    def _list_files(self) -> Iterator[Path]:
        for path in (self._root / self._folder).rglob("*"):
            if not path.name.startswith(".") and self._is_shared(path) and path.is_file():
                yield path


def _sign(path: Path) -> _Signature:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def delete_shared_before(url: Secret, folder: str, before: float) -> None:
    """Delete the subfolders of a shared folder that were last changed before that time (seconds since 1970)."""
    with closing(SharedStore(url)) as store:
        store.execute((_DELETE_BEFORE, (f"{folder}/%", before)))
