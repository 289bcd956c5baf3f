"""Explain every file that a night leaves behind: open, incomplete, in a subfolder, not movable, or not yet reached."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypedDict

from bulkupdate.clock import format_local_time, format_utc
from bulkupdate.nightly.folder import NightFolder
from bulkupdate.nightly.inbox import SettledInbox, find_blocker, is_being_written, is_system_file, list_names
from bulkupdate.runs.reporting.json_objects import Time

OVERDUE_SECONDS = 86_400.0
"""A file that is left behind for longer makes the exit code of the night 1."""


class LeftReason(StrEnum):
    """Why a file was left behind, as a word for programs."""

    OPEN = "open"
    CHANGING = "changing"
    INCOMPLETE = "incomplete"
    HIDDEN = "hidden"
    SUBFOLDER = "subfolder"
    NOT_A_FILE = "not-a-file"
    NOT_MOVABLE = "not-movable"
    FOREIGN = "foreign"
    LATE = "late"
    NOT_REACHED = "not-reached"
    NOT_DOWNLOADED = "not-downloaded"
    CUT_OFF = "cut-off"


_SOLVES_ITSELF = (LeftReason.LATE, LeftReason.NOT_REACHED)
"""Reasons that need no action: the next night sends the file, whatever its age."""


class LeftFileObject(TypedDict):
    """A file that a night left behind, and why."""

    file: str
    reason: LeftReason
    message: str
    since: Time
    overdue: bool


@dataclass(frozen=True)
class LeftFile:
    """A file that was not moved. `name` is relative to the nightly folder, `since` in seconds since 1970.

    `since` is when the file, or the lock file beside it, was last changed. `message` is a sentence with the remedy.
    """

    name: str
    reason: LeftReason
    message: str
    since: float

    def is_overdue(self, now: float) -> bool:
        """Return whether the file needs a user: it was cut off, or is a day old and no night will send it."""
        return self.reason is LeftReason.CUT_OFF or (
            self.reason not in _SOLVES_ITSELF and now - self.since > OVERDUE_SECONDS
        )

    def to_json(self, now: float) -> LeftFileObject:
        """Return the object that `--json` prints."""
        return {
            "file": self.name, "reason": self.reason, "message": self.message, "since": format_utc(self.since),
            "overdue": self.is_overdue(now),
        }  # fmt: skip


@dataclass
class InboxHistory:
    """What the night has learned about the inbox.

    `settled` is what it found after waiting, `changed` what had changed again when its turn came, and `not_movable` why
    files could not be moved.
    """

    settled: SettledInbox = field(default_factory=SettledInbox)
    changed: set[Path] = field(default_factory=set)
    not_movable: dict[Path, str] = field(default_factory=dict)


def find_left_files(folder: NightFolder, history: InboxHistory, now: float, *, is_cut_short: bool) -> list[LeftFile]:
    """Return every file in the inbox, its subfolders and foreign files in `working/`, with the reason.

    `is_cut_short`: the night ended before it reached all files. Raises `UsageError` if the inbox cannot be read.
    """
    names = list_names(folder.inbox)
    found: list[LeftFile | None] = []
    for name in sorted(name for name in names if not is_system_file(name)):
        path = folder.inbox / name
        if not path.is_dir() or path.is_symlink():
            found.append(_explain_file(folder, path, names, history, now, is_cut_short=is_cut_short))
        elif not name.startswith("."):  # hidden folders belong, for example, to programs that synchronise folders
            found += [_leave(folder, inner, LeftReason.SUBFOLDER, _IN_SUBFOLDER) for inner in _walk(path)]
    found += [_leave(folder, path, LeftReason.FOREIGN, _FOREIGN) for path in folder.list_foreign_files()]
    return [left_file for left_file in found if left_file is not None]


_IN_SUBFOLDER = "It is in a subfolder, which is not searched. Move it to inbox/."
_FOREIGN = "It is in working/, but the program did not put it there. Move it to inbox/."
_HIDDEN = "Its name begins with a dot, so it is hidden or an incomplete copy. Rename it once it is complete."
_CHANGING = "Another program is still writing it."
_LATE = "It arrived after the night began. The next night sends it."
_NOT_REACHED = "The night ended before its turn. The next night sends it."


def _explain_file(
    folder: NightFolder, path: Path, names: Collection[str], history: InboxHistory, now: float, *, is_cut_short: bool
) -> LeftFile | None:
    if (blocker := find_blocker(path.name, names)) is not None:
        return _explain_blocker(folder, path, blocker, now)
    if path.name.startswith("."):
        return _leave(folder, path, LeftReason.HIDDEN, _HIDDEN)
    if not _is_regular(path):
        message = "It is a link or a device, not a file. Put the file itself in inbox/."
        return _leave(folder, path, LeftReason.NOT_A_FILE, message)
    if (cause := history.not_movable.get(path)) is not None:
        message = f"It cannot be moved to working/: {cause}. Close it in other programs, and check the permissions."
        return _leave(folder, path, LeftReason.NOT_MOVABLE, message)
    if path in history.settled.changing | history.changed or is_being_written(path):
        return _leave(folder, path, LeftReason.CHANGING, _CHANGING)
    was_ready = any(path == waiting.path for waiting in history.settled.ready)
    if was_ready or is_cut_short:
        return _leave(folder, path, LeftReason.NOT_REACHED, _NOT_REACHED)
    return _leave(folder, path, LeftReason.LATE, _LATE)


def _explain_blocker(folder: NightFolder, path: Path, blocker: str, now: float) -> LeftFile | None:
    if blocker == path.name:
        message = f"Its name ends in {path.suffix}, so it is an incomplete copy. Rename it once it is complete."
        return _leave(folder, path, LeftReason.INCOMPLETE, message)
    since = _find_change(path.with_name(blocker))
    if since is None:  # it was closed just now
        return _leave(folder, path, LeftReason.LATE, _LATE)
    if blocker.startswith(path.name):
        message = f"It is incomplete: {blocker} is still being copied. Delete that file if nothing copies it any more."
        return LeftFile(_name(folder, path), LeftReason.INCOMPLETE, message, since)
    program = "Excel" if blocker.startswith("~$") else "LibreOffice"
    message = (
        f"It has been open in {program} since {format_local_time(since, now)}. Close it there; "
        f"if it is not open anywhere, delete the lock file {blocker}."
    )
    return LeftFile(_name(folder, path), LeftReason.OPEN, message, since)


def _leave(folder: NightFolder, path: Path, reason: LeftReason, message: str) -> LeftFile | None:
    """Return the file as left behind; None if it is gone."""
    since = _find_change(path)
    return None if since is None else LeftFile(_name(folder, path), reason, message, since)


def _walk(subfolder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(subfolder):
        yield from (
            Path(parent) / name for name in sorted(names) if not is_system_file(name) and not name.startswith(".")
        )


def _name(folder: NightFolder, path: Path) -> str:
    return path.relative_to(folder.root).as_posix()


def _find_change(path: Path) -> float | None:
    try:
        return path.lstat().st_mtime
    except OSError:
        return None


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return True  # it is gone, as the caller will find
