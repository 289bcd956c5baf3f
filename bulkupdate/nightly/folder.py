"""The nightly folder with its five subfolders, and the moves between them.

A file is in exactly one of them at any moment.

A file taken is named after its run from then on: `20260114-093849-k3v9x2mq-customers.xlsx`. Such a name sorts by UTC
time, is unique, and says, without any second record, which run of the journal is the file's.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.errors import UsageError
from bulkupdate.files import check_writable, sync_folder
from bulkupdate.runs.runner import new_run_id
from bulkupdate.text import is_control

PLACES = ("inbox", "working", "done", "failed", "reports")
OWN = ".nightly"
"""The folder's own state: who holds it, and which file is being read."""

LEFTOVER_SECONDS = 86_400.0
"""How old a half-written report of a killed process is when it is cleared away."""

_NAMED = re.compile(r"([0-9]{8}-[0-9]{6}-[a-z0-9]{8})-(.+)", re.DOTALL)
_STEM_BYTES = 180
"""Of the 255 that a file name may have: run id, ending and `-results-to-fix.xlsx` need the others."""

_RESERVED = frozenset("<>:\"/\\|?*'`$")
"""What Windows does not allow in a name, and what a shell would obey in a command that is copied from a report."""


@dataclass(frozen=True)
class ClaimedFile:
    """A file in `working/`, with the id of its run; whether that was begun, the journal knows."""

    path: Path
    run_id: str

    @property
    def shown_name(self) -> str:
        """Its name without the run's id."""
        return self.path.name[len(self.run_id) + 1 :]


class NightFolder:
    """A folder with its five places, made when missing, for their owner only. `is_new`: it had none."""

    def __init__(self, root: Path) -> None:
        """Make the subfolders. Raises `UsageError` if one cannot be made or the reports could not be written."""
        self.root = root.resolve()
        self.inbox, self.working, self.done, self.failed, self.reports = (self.root / place for place in PLACES)
        self.own = self.root / OWN
        self.is_new = not self.inbox.exists()
        try:
            self.root.mkdir(mode=0o700, exist_ok=True)  # not its parents: a mistyped path is to be noticed
            for name in (*PLACES, OWN):
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The folder {root} cannot be used: {error.strerror or error}.",
                remedy="Name a folder that exists and that you may write to.",
            ) from error
        for place in (self.working, self.done, self.failed, self.reports):
            check_writable(place / "probe.csv")

    def take(self, path: Path, now: float) -> ClaimedFile | None:
        """Move a file from the inbox to `working/`, under a new run's id and readable by its owner only.

        None where it cannot be moved: it is gone, or another program holds it.
        """
        run_id = new_run_id(now)
        target = self.working / f"{run_id}-{make_file_name(path.name)}"
        try:
            _move(path, target)
        except OSError:
            return None
        with suppress(OSError):  # another's file: the folder is closed to others all the same
            target.chmod(0o600)
        return ClaimedFile(target, run_id)

    def list_taken(self) -> list[ClaimedFile]:
        """Return the files in `working/`, in the order they were taken."""
        named = ((path, _NAMED.fullmatch(path.name)) for path in sorted(self.working.iterdir()) if path.is_file())
        return [ClaimedFile(path, match[1]) for path, match in named if match]

    def list_foreign_files(self) -> list[Path]:
        """Return what lies in `working/` but was not put there by us."""
        return [path for path in sorted(self.working.iterdir()) if not _NAMED.fullmatch(path.name)]

    def find_place(self, taken: ClaimedFile, place: Path) -> Path:
        """Where the file will stand there: under its own name, or where that is taken, with a number."""
        target, number = place / taken.path.name, 2
        while os.path.lexists(target):
            target = place / f"{taken.path.stem}-{number}{taken.path.suffix}"
            number += 1
        return target

    def archive(self, taken: ClaimedFile, target: Path) -> None:
        """Move it there. Raises `UsageError` where that cannot be: it then stays in `working/`."""
        try:
            _move(taken.path, target)
        except OSError as error:
            raise UsageError(
                f"{taken.path} cannot be moved to {target.parent}: {error.strerror or error}.",
                remedy="Its run is over. Make the folder writable; the next call moves it.",
            ) from error

    def report_path(self, taken: ClaimedFile, ending: str) -> Path:
        """Where a report on it goes: `…-customers-results.xlsx` for the ending `-results.xlsx`."""
        return self.reports / f"{taken.path.stem}{ending}"

    def register_read_attempt(self, taken: ClaimedFile) -> int:
        """Note that the file is going to be read; how many times that was noted and never taken back."""
        mark = self.own / f"reading-{taken.run_id}"
        with mark.open("ab") as stream:
            stream.write(b".")
            stream.flush()
            os.fsync(stream.fileno())
            return stream.tell()

    def clear_read_attempts(self, taken: ClaimedFile) -> None:
        """Take the note back: the program has come through the reading."""
        (self.own / f"reading-{taken.run_id}").unlink(missing_ok=True)

    def clear_leftovers(self, now: float) -> None:
        """Remove half-written reports of processes that were killed long ago (`output_file.replace_file`)."""
        for path in self.reports.glob(".bulkupdate-*.tmp"):
            with suppress(OSError):
                if now - path.stat().st_mtime > LEFTOVER_SECONDS:
                    path.unlink()


def make_file_name(name: str) -> str:
    """Return the name without what misleads eyes, shells, logs or file systems, and short enough to be added to."""
    harmless = "".join("_" if is_control(each) or each in _RESERVED else each for each in name)
    stem, dot, suffix = harmless.rpartition(".")
    if not stem or len(suffix.encode()) > 20:
        stem, dot, suffix = harmless, "", ""
    return stem.encode()[:_STEM_BYTES].decode(errors="ignore") + dot + suffix


def _move(path: Path, target: Path) -> None:
    """Rename, which is one step; never over another file, as only the holder of the folder's lock makes such names."""
    if os.path.lexists(target):
        raise FileExistsError(f"{target} exists")
    path.rename(target)
    for folder in {path.parent, target.parent}:  # the move must not be undone by a power cut once rows were sent
        sync_folder(folder)
