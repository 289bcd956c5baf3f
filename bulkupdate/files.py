"""Output files: checked to be writable before the work begins, replaced in one step when complete."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bulkupdate.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # None: not available

WORKBOOK_OR_CSV = (".xlsx", ".csv")

LEFTOVER_SECONDS = 600
"""A temporary file of bulkupdate that is older and not locked was left by a killed process."""

_PREFIX, _SUFFIX = ".bulkupdate-", ".tmp"

_IS_WINDOWS = os.name == "nt"
_RETRY_SECONDS = (0.05, 0.2, 0.5)

_RESERVED_ON_WINDOWS = re.compile(
    r'.*[<>:"|?*\x00-\x1f].*|.*[. ]|(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])\s*(\..*)?', re.I | re.S
)
"""Names that Windows takes for a device, a second stream of a file or another name: the data would be lost."""


def check_writable(path: Path, endings: Sequence[str] = WORKBOOK_OR_CSV) -> None:
    """Raise `UsageError`, saying what to do, if a file could not be written to `path` later on.

    Call it before the first request, so that a missing folder, a wrong ending, a write-protected folder or a file that
    is open in Excel or LibreOffice is found now and not at the end of the run. An existing file is left as it is.
    """
    _check_name(path, endings)
    if mark := find_open_mark(path):
        raise UsageError(
            f"{path} is open in Excel or LibreOffice.",
            remedy=f"Close it there and try again; if it is not open anywhere, delete {mark.name} beside it.",
        )
    try:
        if _exists(path):
            path.open("r+b").close()
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable_error(path, error) from error


def find_open_mark(path: Path) -> Path | None:
    """Return the file by which Excel or LibreOffice marks a sheet as open; None if neither has it open."""
    marks = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))
    return next((mark for mark in marks if os.path.lexists(mark)), None)


def _check_name(path: Path, endings: Sequence[str]) -> None:
    if _IS_WINDOWS and _RESERVED_ON_WINDOWS.fullmatch(path.name):
        raise UsageError(f"{path.name} cannot be the name of a file on Windows.", remedy="Name another file.")
    if path.suffix.lower() not in endings:
        raise UsageError(
            f"{path} cannot be written: its name must end in {' or '.join(endings)}.",
            remedy=f"Name it {path.with_suffix(endings[0]).name}." if path.name.strip(".") else None,
        )
    if not _exists(path.parent) or not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist.", remedy="Create it, or name another folder.")
    if _exists(path) and not path.is_file():
        what = "a folder" if path.is_dir() else "not an ordinary file"
        raise UsageError(f"{path} is {what}.", remedy="Name a file.")


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unwritable_error(path, error) from error
    return True


def _unwritable_error(path: Path, error: OSError) -> UsageError:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = "Free some space on its disk" if is_full else "Close it where it is open, check the rights of its folder"
    return UsageError(f"{path} cannot be written: {error.strerror or error}.", remedy=f"{cause}, or name another file.")


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Open a stream whose content becomes the file `path` in one step at the end, readable by its owner only (0600).

    Until then, and if the block raises or the process is killed, `path` is unchanged. Raises `UsageError` if the disk
    is full or the folder cannot be written.
    """
    target = path.resolve()
    _remove_leftovers(target.parent)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=_PREFIX, suffix=_SUFFIX)
    except OSError as error:
        raise _unwritable_error(path, error) from error
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            _lock(descriptor)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _move_over(Path(temporary), target)
    except BaseException as error:
        with suppress(OSError):
            Path(temporary).unlink()
        if isinstance(error, OSError):
            raise _unwritable_error(path, error) from error
        raise
    sync_folder(target.parent)


def _move_over(temporary: Path, target: Path) -> None:
    """Replace `target`. Windows refuses that while a virus scanner has just opened it: try again for a moment."""
    for seconds in _RETRY_SECONDS if _IS_WINDOWS else ():
        with suppress(PermissionError):
            temporary.replace(target)
            return
        time.sleep(seconds)
    temporary.replace(target)


def open_private(path: Path, *, replace: bool = False) -> BinaryIO:
    """Open a file for writing that only its owner may read (mode 0600).

    The file must not exist, unless `replace`: then its content is lost. Raises `OSError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | (os.O_TRUNC if replace else os.O_EXCL)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _remove_leftovers(folder: Path) -> None:
    """Delete temporary files of killed processes: they hold customer data under a hidden name."""
    with suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with suppress(OSError):
                if path.lstat().st_mtime < time.time() - LEFTOVER_SECONDS and _is_given_up(path):
                    path.unlink()


def _is_given_up(path: Path) -> bool:
    """Return whether no process has it open. Windows never deletes an open file; bulkupdate makes no links."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("r+b") as stream:
        return _lock(stream.fileno())


def _lock(descriptor: int) -> bool:
    """Lock the file until it is closed; return False if another process holds it."""
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: then its age alone decides
            return True
    return True


def sync_folder(folder: Path) -> None:
    """Make a new file name survive a power cut, if the system can (Windows cannot open a folder)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
