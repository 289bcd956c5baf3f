"""All exceptions, grouped by what the user does next.

    BulkUpdateError                     base class: a sentence for the user, and the exit code
    ├── UsageError                      2  the command or a setting is wrong: fix it and run the command again
    ├── InputFileError                  3  the file is refused: nothing was sent
    │   └── ReaderBugError                 the program itself failed while reading the file
    │   └── LimitExceededError             it would change more customers than a limit allows
    ├── StoppedError                    4  the run ends early with a consistent journal: `resume` continues
    │   ├── SignInRefusedError             the service does not accept the login or its token
    │   ├── ServiceDownError               no answer in all attempts, or too many consecutive failed rows
    │   │   └── UnreadableListError         a list of customers is unreadable or incomplete
    │   ├── ThrottledTooLongError          the service asks to wait longer than is sensible
    │   ├── CanaryError                    the first rows were not read back as sent: no other row was sent
    │   ├── OvertakenRunError              a newer run has updated customers that still wait in this one
    │   └── JournalError                   the journal cannot be written, is locked, damaged, or of another version
    │       └── LostConnectionError        the connection to its database was lost
    ├── InternalError                   4  a bug; the journal is consistent: `resume` continues
    ├── BusyError                       5  another process is working on the same run or folder
    └── InterruptedRunError           130  Ctrl-C or SIGTERM: what was in flight was recorded

A bad cell is not an exception but a `Problem` (`customers/models.py`): the rest of the file is still checked. The
result of one request is not an exception either (`sellercloud/`): the next row is still sent. Exceptions of other
libraries are translated where they arise, with their cause chained.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the program."""

    DONE = 0
    """Every row was updated or unchanged."""
    INCOMPLETE = 1
    """Finished, but some rows were not updated; for a dry run: some rows are invalid."""
    USAGE = 2
    """The command was used wrongly, or a setting is missing."""
    FILE_REFUSED = 3
    """The file was refused, or the user declined; nothing was sent."""
    STOPPED = 4
    """Stopped early; `resume` continues."""
    BUSY = 5
    """Another process is working on this run or folder."""
    INTERRUPTED = 130
    """Interrupted; what was in flight was recorded, `resume` continues."""


class BulkUpdateError(Exception):
    """An error shown to the user: `str(error)` is a sentence that says what happened and where.

    `remedy` says what to do next, None if the sentence already does.
    """

    exit_code = ExitCode.STOPPED

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(BulkUpdateError):
    """The command was used wrongly, or a setting is missing or makes no sense."""

    exit_code = ExitCode.USAGE


class InputFileError(BulkUpdateError):
    """The file is refused; nothing was sent."""

    exit_code = ExitCode.FILE_REFUSED


class ReaderBugError(InputFileError):
    """The program itself failed while reading the file; `__cause__` is the bug."""


class LimitExceededError(InputFileError):
    """The file would change more customers than a limit allows."""


class StoppedError(BulkUpdateError):
    """The run ended before its last row; what is not confirmed is sent by `resume`."""

    exit_code = ExitCode.STOPPED


class SignInRefusedError(StoppedError):
    """The service does not accept the login, or refuses the token that it has just issued."""


class ServiceDownError(StoppedError):
    """The service gave no usable answer in all attempts."""


class UnreadableListError(ServiceDownError):
    """The service answered with a list of customers that is unreadable or incomplete."""


class ThrottledTooLongError(StoppedError):
    """The service asks for a longer wait than is sensible; the message says how long."""


class CanaryError(StoppedError):
    """The first rows of a run were not read back as they were sent: no other row was sent."""


class OvertakenRunError(StoppedError):
    """Another run has updated customers that still wait in this one: continuing would overwrite its values."""


class JournalError(StoppedError):
    """The journal cannot be written or read: the disk is full, the file locked, damaged or of another version."""


class LostConnectionError(JournalError):
    """The connection to the database that holds the journal was lost.

    `is_silent`: not even its host answers.
    """

    is_silent = False


class InternalError(BulkUpdateError):
    """An unexpected error (a bug), as shown to the user."""

    exit_code = ExitCode.STOPPED


class BusyError(BulkUpdateError):
    """Another process holds the lock of this run or folder."""

    exit_code = ExitCode.BUSY


class InterruptedRunError(BulkUpdateError):
    """The user or the system asked the run to stop; requests in flight were recorded."""

    exit_code = ExitCode.INTERRUPTED
