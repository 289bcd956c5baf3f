"""Standard streams that keep working if they cannot be written: closed, missing, or on a full disk.

Output that cannot be shown must not change what the program does. Only a full disk under stdout is an error: the user
who redirected it wants to read it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from bulkupdate.errors import StoppedError

_PIPE_SECONDS = 0.01


class _LossyStream(io.RawIOBase):
    """The writing end of a stream that drops what it cannot write. `is_disk_full`: a full disk was the reason."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.is_disk_full = False

    def write(self, data: Any) -> int:
        try:
            written: int | None = self._real.write(data)
        except OSError as error:
            self.is_disk_full |= error.errno in (errno.ENOSPC, errno.EDQUOT)
            return len(data)
        if written is None:  # a pipe that does not block, and is full: wait for its reader
            time.sleep(_PIPE_SECONDS)
        return written or 0

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._real.fileno())

    def isatty(self) -> bool:
        return bool(self._real.isatty())


def protect_streams() -> None:
    """Replace missing streams, and ignore errors of writing to the others. Call it before any file is opened.

    A process started with a closed stream (`2>&-`) would otherwise get its next file as number 2, and what is written
    to stderr would go into that file. Under `pythonw` there are no streams at all.
    """
    _fill_descriptors()
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _ignore_errors(sys.stdout)
    sys.stderr = _ignore_errors(sys.stderr)


def require_written_output() -> None:
    """Raise `StoppedError` if the disk was full when something was written to stdout."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _LossyStream) and raw.is_disk_full:
        raise StoppedError(
            "The output could not be written as a whole: no space left on the disk that it goes to.",
            remedy="Free some space there. What was sent is in the journal: `bulkupdate show` shows it.",
        )


def _fill_descriptors() -> None:
    """Occupy the file descriptors 0 to 2 that are free, so that no file of the program gets one."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def _ignore_errors(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if not hasattr(stream, "buffer"):  # replaced by the program that called us
        return stream
    real = getattr(stream.buffer, "raw", stream.buffer)  # with `python -u` there is no buffer in between
    return io.TextIOWrapper(
        io.BufferedWriter(_LossyStream(real)),
        encoding=stream.encoding,
        errors="backslashreplace",  # characters that the code page lacks are escaped
        line_buffering=True,
    )
