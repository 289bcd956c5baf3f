"""The uploaded sheets: one folder each, readable by the server's account only, deleted after the documented time.

The id of an upload is also the id of its run, so that a button pressed twice starts one run.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

from bulkupdate.clock import Clock, format_utc
from bulkupdate.files import open_private
from bulkupdate.runs.loading.recipe_folder import ENDING as RECIPE_ENDING
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.spreadsheets.reading.sheet import NumberChoice
from bulkupdate.text import fold_name
from bulkupdate.web.json_files import read_record, write_json

FOLDER = "uploads"
RECORD = "upload.json"
RESULTS = "results.xlsx"
"""The results of the run of an upload, in its folder; as CSV, with that ending."""
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9]{8}", re.ASCII)


@dataclass(frozen=True)
class Upload:
    """One uploaded sheet.

    `owner` is the user who uploaded it, `host` the service it is for; `name` is the user's name of the file, `stored`
    its name in `folder`. `at` is ISO 8601 in UTC. `key` is the column that customers are found by, empty for their ids;
    `lookup` is the user's name of the sheet they are looked up in, empty to search the service. `settled` has, by row
    number, the customers that the user chose for ambiguous rows; `write_policy` the policy chosen for each field.
    `revision` counts how often the way it is read was changed: a check of an earlier one counts no longer.
    `machine` is the host it was uploaded at, empty if that is not known.
    """

    id: str
    owner: str
    host: str
    name: str
    stored: str
    at: str
    sheet: str
    decimal_mark: str
    ignore_unknown: bool
    folder: Path
    encoding: str = ""
    numbers: NumberChoice | None = None
    key: str = ""
    lookup: str = ""
    settled: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    write_policy: str = ""
    machine: str = ""

    @property
    def lookup_path(self) -> Path | None:
        """The lookup sheet; None if there is none."""
        return self.folder / f"{self.id}-lookup{Path(self.lookup).suffix.lower()}" if self.lookup else None

    @property
    def files(self) -> list[Path]:
        """All files that the user uploaded."""
        return [self.path] if self.lookup_path is None else [self.path, self.lookup_path]

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.folder / self.stored

    @property
    def recipe_path(self) -> Path | None:
        """The recipe by which the file is read, kept beside it so that it cannot change; None if there is none."""
        return next(self.folder.glob(f"*{RECIPE_ENDING}"), None)

    @property
    def corrections_path(self) -> Path:
        """The file of corrected cells, which may not exist."""
        return self.folder / "corrections.json"

    @property
    def options(self) -> SheetOptions:
        """How the file is to be read."""
        return SheetOptions(
            sheet=self.sheet or None,
            decimal_mark=self.decimal_mark or None,
            ignore_unknown=self.ignore_unknown,
            encoding=self.encoding or None,
            numbers=self.numbers,
            key=self.key or None,
            lookup=self.lookup_path,
            recipe=self.recipe_path,
            corrections=self.corrections_path,
            settled={int(row): customer_id for row, customer_id in self.settled.items()},
            write_policy=self.write_policy,
        )


@dataclass(frozen=True)
class Usage:
    """What a user has uploaded: files in the last 24 hours, and bytes of all that are stored."""

    recent_files: int
    stored_bytes: int


class Uploads:
    """The folder of all uploads. Thread-safe."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self.folder = state_dir / FOLDER
        self._clock = clock
        self._known: dict[str, tuple[int, Upload]] = {}

    def add(self, content: IO[bytes], owner: str, host: str, name: str, ending: str, options: SheetOptions) -> Upload:
        """Store a file under a generated name."""
        upload_id = new_run_id(self._clock.now())
        folder = self.folder_of(upload_id)
        upload = Upload(
            upload_id, owner, host, name, f"{upload_id}{ending}", format_utc(self._clock.now()), options.sheet or "",
            options.decimal_mark or "", options.ignore_unknown, folder, options.encoding or "", options.numbers,
            machine=socket.gethostname(),
        )  # fmt: skip
        try:
            with open_private(upload.path) as file:
                shutil.copyfileobj(content, file, 1 << 20)
            self.save(upload)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return upload

    def save(self, upload: Upload) -> None:
        """Write the record of an upload, for the first time or with other options."""
        record = {key: value for key, value in asdict(upload).items() if key != "folder"}
        write_json(upload.folder / RECORD, record)

    def save_lookup(self, upload: Upload, content: IO[bytes]) -> None:
        """Store the lookup sheet of an upload, in place of an earlier one."""
        assert upload.lookup_path is not None
        with open_private(upload.lookup_path, replace=True) as file:
            shutil.copyfileobj(content, file, 1 << 20)

    def copy_reading(self, source: Upload, target: Upload) -> Upload:
        """Have an upload read as another one is: by the same recipe, key and lookup sheet."""
        if source.recipe_path is not None:
            shutil.copyfile(source.recipe_path, target.folder / source.recipe_path.name)
        copied = replace(target, key=source.key, lookup=source.lookup, write_policy=source.write_policy)
        if source.lookup_path is not None and copied.lookup_path is not None:
            shutil.copyfile(source.lookup_path, copied.lookup_path)
        self.save(copied)
        return copied

    def folder_of(self, run_id: str) -> Path:
        """Return the folder of an upload or of a run's results, created if it does not exist."""
        folder = self.folder / run_id
        for directory in (self.folder, folder):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def find_folder(self, upload_id: str) -> Path | None:
        """Return the folder of an upload, a run or an export; None if there is none."""
        folder = self.folder / upload_id
        return folder if _ID.fullmatch(upload_id) and folder.is_dir() else None

    def find(self, upload_id: str) -> Upload | None:
        """Return the upload with this id; None if there is none, or another version of the program stored it."""
        if _ID.fullmatch(upload_id) is None:
            return None
        path = self.folder / upload_id / RECORD
        try:
            written = path.stat().st_mtime_ns
        except OSError:
            self._known.pop(upload_id, None)
            return None
        known = self._known.get(upload_id)
        if known is not None and known[0] == written:
            return known[1]
        upload = read_record(path, partial(Upload, folder=path.parent))
        if upload is not None:
            self._known[upload_id] = written, upload
        return upload

    def all(self) -> list[Upload]:
        """Return every upload, newest first."""
        names = sorted((folder.name for folder in self.folder.glob("*")), reverse=True) if self.folder.is_dir() else []
        return [upload for name in names if (upload := self.find(name)) is not None]

    def measure(self, owner_key: str) -> Usage:
        """Return what the user with this key (`fold_name`) has uploaded."""
        since = format_utc(self._clock.now() - 86_400)
        own = [upload for upload in self.all() if fold_name(upload.owner) == owner_key]
        sizes = (path.stat().st_size for upload in own for path in upload.files if path.exists())
        return Usage(sum(upload.at >= since for upload in own), sum(sizes))

    def remove(self, upload_id: str) -> None:
        """Delete an upload with its check, report and results."""
        if _ID.fullmatch(upload_id):
            shutil.rmtree(self.folder / upload_id, ignore_errors=True)


def purge_uploads(state_dir: Path, before: float, keep: frozenset[str] = frozenset()) -> int:
    """Delete the uploads last modified before that time (seconds since 1970), with their results.

    Those in `keep` stay. Return how many were deleted.
    """
    removed = 0
    folder = state_dir / FOLDER
    for upload in folder.glob("*") if folder.is_dir() else ():
        if upload.name not in keep and _ID.fullmatch(upload.name) and _find_last_modified(upload) < before:
            shutil.rmtree(upload, ignore_errors=True)
            removed += 1
    return removed


def _find_last_modified(folder: Path) -> float:
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return 0.0
