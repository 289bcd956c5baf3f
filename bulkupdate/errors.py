"""The family of exceptions, sorted by what a run does next.

    BulkUpdateError                     any of ours: a sentence for people, and the exit code it ends with
    ├── UsageError                      2  the command or a setting is wrong: mend it and call again
    ├── InputFileError                3  the file cannot be taken as it is: nothing was sent
    ├── StoppedError                    4  the run ends early, its journal in order: `resume` continues
    │   ├── SignInRefusedError             the service does not accept the login or its token
    │   ├── ServiceDownError               no answer in all the tries allowed, or too many rows in a row failed
    │   ├── ThrottledTooLongError          the service asks to wait longer than is sensible
    │   └── JournalError                   the journal cannot be written, is locked, damaged, or of another version
    ├── InternalError                        4  the program itself failed; the journal is in order: `resume` continues
    ├── BusyError                       5  someone else is at work on the same run or folder
    └── InterruptedRunError           130  Ctrl-C or SIGTERM: what was in flight was recorded

A bad cell is no exception but a `Problem` (`customers/models.py`): the rest of the file is still checked. What one
request came to is no exception either but a verdict (`sellercloud/response.py`): the next row is still sent. An
exception of a foreign library is translated where it enters, with its cause chained, and never travels further.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the program's exit code says to a scheduler."""

    DONE = 0
    """Every row was updated or unchanged."""
    INCOMPLETE = 1
    """Finished, but some rows were not updated; for a dry run: some rows are invalid."""
    USAGE = 2
    """The command was used wrongly, or a setting is missing."""
    FILE_REFUSED = 3
    """The file was refused; nothing was sent."""
    STOPPED = 4
    """Stopped early; `resume` continues."""
    BUSY = 5
    """Another run of this folder is going on."""
    INTERRUPTED = 130
    """Interrupted; what was in flight was recorded, `resume` continues."""


class BulkUpdateError(Exception):
    """Something a person must know of: `str(error)` is a sentence that says what happened and where.

    `remedy` says what to do next, None where the sentence already does; `exit_code` is how the program ends.
    """

    exit_code = ExitCode.STOPPED

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(BulkUpdateError):
    """The command was used wrongly, or a setting is missing or makes no sense."""

    exit_code = ExitCode.USAGE


class InputFileError(BulkUpdateError):
    """The file cannot be taken as it is; nothing was sent."""

    exit_code = ExitCode.FILE_REFUSED


class StoppedError(BulkUpdateError):
    """The run ended before its last row; what is not confirmed is sent by `resume`."""

    exit_code = ExitCode.STOPPED


class SignInRefusedError(StoppedError):
    """The service does not accept the login, or refuses the token it has just given out."""


class ServiceDownError(StoppedError):
    """The service gave no usable answer in all the tries allowed."""


class ThrottledTooLongError(StoppedError):
    """The service asks for a longer wait than a run should make; the message names the time."""


class JournalError(StoppedError):
    """The journal cannot be written or read: the disk is full, the file locked, damaged or of another version."""


class InternalError(BulkUpdateError):
    """What is no other error of ours, as people get to see it."""

    exit_code = ExitCode.STOPPED


class BusyError(BulkUpdateError):
    """Another process holds the lock of this run or folder."""

    exit_code = ExitCode.BUSY


class InterruptedRunError(BulkUpdateError):
    """A person or the system asked the run to stop; what was in flight was recorded."""

    exit_code = ExitCode.INTERRUPTED
