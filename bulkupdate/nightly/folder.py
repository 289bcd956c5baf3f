"""The nightly folder with its five subfolders, and the moves between them.

A file is in exactly one of them at any moment.

A claimed file carries the id of its run in its name: `20260114-093849-k3v9x2mq-customers.xlsx`. Such a name sorts by
UTC time, is unique, and tells which run of the journal belongs to the file, without any second record.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.errors import UsageError
from bulkupdate.files import check_writable, sync_folder
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.text import SuggestedCommand, is_control

SUBFOLDERS = ("inbox", "working", "done", "failed", "reports")
STATE_FOLDER = ".nightly"
"""Where the program keeps the lock of the folder and the read attempts of its files."""


_CLAIMED_NAME = re.compile(r"([0-9]{8}-[0-9]{6}-[a-z0-9]{8})-(.+)", re.DOTALL)
_STEM_BYTES = 180
"""Of the 255 that a file name may have; run id, extension and `-results-to-fix.xlsx` need the rest."""
_SHORTEST_STEM = 20
_WINDOWS_ROOM = 210
"""Of the 259 characters of a path on Windows: what run id and endings leave for folder and stem."""

_RESERVED = frozenset("<>:\"/\\|?*'`$")
"""What Windows does not allow in a name, and what a shell would interpret in a command copied from a report."""


@dataclass(frozen=True)
class ClaimedFile:
    """A file in `working/` with the id of its run. The journal knows whether that run has begun."""

    path: Path
    run_id: str

    @property
    def original_name(self) -> str:
        """The name that the file had in the inbox, without the id of its run."""
        return self.path.name[len(self.run_id) + 1 :]


class NightFolder:
    """A folder with its five subfolders; those that the program creates are readable by their owner only."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        """Create the missing subfolders; `create`: the inbox and the folder itself, too.

        Raises `UsageError` if there is no inbox, a subfolder cannot be created, or reports could not be written.
        """
        self.root = root.resolve()
        self.inbox, self.working, self.done, self.failed, self.reports = (self.root / name for name in SUBFOLDERS)
        self.state_folder = self.root / STATE_FOLDER
        if not create and not self.inbox.is_dir():
            raise UsageError(
                f"The folder {root} has no subfolder inbox/, so it is not a nightly folder; nothing was created.",
                remedy=f"Check its name. To set up a new one: {SuggestedCommand('nightly', self.root, '--create')}",
            )
        try:
            self.root.mkdir(mode=0o700, exist_ok=True)  # not its parents: the path may be mistyped
            for name in (*SUBFOLDERS, STATE_FOLDER):
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The folder {root} cannot be used: {error.strerror or error}.",
                remedy="Name an existing folder that you may write to.",
            ) from error
        for folder in (self.working, self.done, self.failed, self.reports):
            check_writable(folder / "probe.csv")

    def claim(self, path: Path, now: float) -> ClaimedFile:
        """Move a file from the inbox to `working/`, under a new run id and readable by its owner only.

        Raises `OSError` if it cannot be moved: it is gone, or another program holds it.
        """
        run_id = new_run_id(now)
        target = self.working / f"{run_id}-{make_file_name(path.name, self._stem_bytes)}"
        _move(path, target)
        with suppress(OSError):  # the file belongs to another user: the folder still keeps it private
            target.chmod(0o600)
        return ClaimedFile(target, run_id)

    def list_claimed(self) -> list[ClaimedFile]:
        """Return the files in `working/`, in the order they were claimed."""
        matches = (
            (path, _CLAIMED_NAME.fullmatch(path.name)) for path in sorted(self.working.iterdir()) if path.is_file()
        )
        return [ClaimedFile(path, match[1]) for path, match in matches if match]

    def list_foreign_files(self) -> list[Path]:
        """Return what is in `working/` although the program did not put it there."""
        return [path for path in sorted(self.working.iterdir()) if not _CLAIMED_NAME.fullmatch(path.name)]

    def find_target(self, claimed: ClaimedFile, folder: Path) -> Path:
        """Return a free path for the file in that folder: its own name, with a number if that exists already."""
        target, number = folder / claimed.path.name, 2
        while os.path.lexists(target):
            target = folder / f"{claimed.path.stem}-{number}{claimed.path.suffix}"
            number += 1
        return target

    def archive(self, claimed: ClaimedFile, target: Path) -> None:
        """Move the file to `target`. Raises `UsageError` if that fails: the file then stays in `working/`."""
        try:
            _move(claimed.path, target)
        except OSError as error:
            raise UsageError(
                f"{claimed.path} cannot be moved to {target.parent}: {error.strerror or error}.",
                remedy="Its run is over. Make the folder writable; the next night moves the file.",
            ) from error

    def report_path(self, claimed: ClaimedFile, ending: str) -> Path:
        """Return the path of a report on the file: `…-customers-results.xlsx` for the ending `-results.xlsx`."""
        return self.reports / f"{claimed.path.stem}{ending}"

    def register_read_attempt(self, claimed: ClaimedFile) -> int:
        """Record that the file is about to be read; return how many attempts have not been cleared."""
        with self._attempts_path(claimed).open("ab") as stream:
            stream.write(b".")
            stream.flush()
            os.fsync(stream.fileno())
            return stream.tell()

    def clear_read_attempts(self, claimed: ClaimedFile) -> None:
        """Delete the record of attempts: the file was read without a crash."""
        self._attempts_path(claimed).unlink(missing_ok=True)

    @property
    def _stem_bytes(self) -> int:
        """The longest stem: Windows limits the whole path, other systems the name."""
        if not _is_windows():
            return _STEM_BYTES
        return max(_SHORTEST_STEM, min(_STEM_BYTES, _WINDOWS_ROOM - len(str(self.reports))))

    def _attempts_path(self, claimed: ClaimedFile) -> Path:
        return self.state_folder / f"reading-{claimed.run_id}"


def make_file_name(name: str, stem_bytes: int = _STEM_BYTES) -> str:
    """Return the name without characters that mislead users, shells, logs or file systems.

    Its stem is cut to `stem_bytes` bytes of UTF-8.
    """
    harmless = "".join("_" if is_control(character) or character in _RESERVED else character for character in name)
    stem, dot, suffix = harmless.rpartition(".")
    if not stem or len(suffix.encode()) > 20:
        stem, dot, suffix = harmless, "", ""
    return stem.encode()[:stem_bytes].decode(errors="ignore") + dot + suffix


def _is_windows() -> bool:
    return os.name == "nt"


def _move(path: Path, target: Path) -> None:
    """Rename in one step, never replacing a file: only the holder of the folder's lock creates such names."""
    if os.path.lexists(target):
        raise FileExistsError(f"{target} exists")
    path.rename(target)
    for folder in {path.parent, target.parent}:  # a power cut must not undo the move once rows were sent
        sync_folder(folder)
