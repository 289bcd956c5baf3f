"""A nightly folder on another machine: claimed there, processed in a local folder, and its results written back.

A file is claimed by a move on the server, from inbox/ to working/, under the id of its run. What is in working/ is not
finished: it is copied into the local folder, unless it is there, processed, and moved to done/ or failed/ after its
reports were written. A claim is recorded here before the move, so that another installation leaves the file alone, and
that a move of S3, which copies and then deletes, is completed after a crash.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import InputFileError, StoppedError, UsageError
from bulkupdate.files import replace_file
from bulkupdate.nightly.folder import SUBFOLDERS, NightFolder, make_file_name
from bulkupdate.nightly.inbox import find_blocker, is_system_file
from bulkupdate.nightly.left_files import LeftFile, LeftReason
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.remote_claims import Claim, ClaimRecords
from bulkupdate.remote.address import Address, parse_address
from bulkupdate.remote.opening import open_store
from bulkupdate.remote.remote_store import RemoteFile, RemoteStore
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize

_INBOX, _WORKING, _DONE, _FAILED, _REPORTS = SUBFOLDERS
_CUT_OFF = "It was still being written when it was claimed, so rows may be missing. Put all of it into inbox/ again."


class RemoteFolder:
    """A folder elsewhere, with the local folder that stands for it.

    Each step opens its own connection, as a night outlasts a connection without traffic. A failure of the server
    is a `StoppedError`: the next night continues.
    """

    store: RemoteStore

    def __init__(self, address: Address, folder: NightFolder, settings: Settings) -> None:
        self._address = address
        self._folder = folder
        self._settings = settings
        self._claims = ClaimRecords(folder.state_folder)
        self._left: list[LeftFile] = []

    def fetch(self, settle_seconds: float, clock: Clock, stop: threading.Event, *, create: bool) -> None:
        """Claim what did not change for `settle_seconds`, and copy what is claimed.

        Raises `UsageError` if there is no inbox, unless `create`, or if a package is missing.
        """
        with self._connect():
            self._prepare(create=create)
            self._complete_moves()
            for file in self._wait_until_settled(settle_seconds, clock, stop):
                self._claim(file, clock)
            for claim in self._claims.list_all():
                self._copy(claim)

    def check(self) -> str:
        """Check that files can be claimed and reports written there; say how many wait. Raises as `fetch` does."""
        with self._connect():
            self._prepare(create=False)
            probe = f".bulkupdate-{secrets.token_hex(8)}"
            place = self._join(_INBOX, probe)
            self.store.write(place, b"test")
            try:
                self.store.move(place, self._join(_WORKING, probe))
                place = self._join(_WORKING, probe)
            finally:
                self.store.delete(place)
        left_files = self.find_left_files()
        blocked = [left_file for left_file in left_files if left_file.reason is not LeftReason.LATE]
        reasons = "".join(f"\n      {left_file.name}: {left_file.message}" for left_file in blocked)
        return f"{self._address} is ready; {pluralize(len(left_files) - len(blocked), 'file')} to send{reasons}"

    def write_back(self, now: float) -> None:
        """Write the reports of the files that are finished, and move these."""
        found = ((claim, self._find_local(claim)) for claim in self._claims.list_all())
        finished = [(claim, path) for claim, path in found if path and path.parent != self._folder.working]
        if finished:
            with self._connect():
                for claim, path in finished:
                    self._write_back(claim, path, now)

    def find_left_files(self) -> list[LeftFile]:
        """Return what stays on the server, with the reason."""
        with self._connect():
            waiting = self.store.list_files(self._join(_INBOX))
            working = self.store.list_files(self._join(_WORKING))
        names = {file.name for file in waiting}
        claimed = {claim.working_name for claim in self._claims.list_all()}
        message = "It is in working/, but was claimed by another installation, or not by this program."
        return [
            *self._left,
            *(_leave(_INBOX, each, *_explain(each.name, names)) for each in waiting if not is_system_file(each.name)),
            *(_leave(_WORKING, each, LeftReason.FOREIGN, message) for each in working if each.name not in claimed),
        ]

    @contextmanager
    def _connect(self) -> Iterator[None]:
        try:
            with open_store(self._address, self._settings.timeout) as self.store:
                yield
        except InputFileError as error:
            raise StoppedError(str(error), remedy=f"{error.remedy or ''} The next night continues.".strip()) from error

    def _prepare(self, *, create: bool) -> None:
        if not create and self.store.has_folders and self.store.find_version(self._join(_INBOX)) is None:
            raise UsageError(
                f"The folder {self._address} has no subfolder inbox/, so it is not a nightly folder.",
                remedy="Check its name. To set up a new one, add --create.",
            )
        for name in SUBFOLDERS:
            self.store.make_folder(self._join(name))

    def _complete_moves(self) -> None:
        """Complete the moves that a crash cut off, and forget claims that were never moved, or are finished."""
        for claim in self._claims.list_all():
            is_moved = self.store.find_version(self._join(_WORKING, claim.working_name)) is not None
            if not is_moved and self._find_local(claim) is None:
                self._claims.remove(claim)
            elif is_moved and not self.store.has_folders:
                original = self._join(_INBOX, claim.name)
                if self.store.find_version(original) == claim.version:
                    self.store.delete(original)

    def _wait_until_settled(self, seconds: float, clock: Clock, stop: threading.Event) -> list[RemoteFile]:
        before = self._list_ready()
        if not before or clock.wait(seconds, stop):
            return []
        now = set(self._list_ready())
        return [file for file in before if file in now]

    def _list_ready(self) -> list[RemoteFile]:
        files = self.store.list_files(self._join(_INBOX))
        names = {file.name for file in files}
        return sorted(
            file
            for file in files
            if not file.name.startswith(".") and not is_system_file(file.name) and not find_blocker(file.name, names)
        )

    def _claim(self, file: RemoteFile, clock: Clock) -> None:
        run_id = new_run_id(clock.now())
        claim = Claim(run_id, file.name, file.version, f"{run_id}-{make_file_name(file.name)}")
        self._claims.save(claim)
        try:
            self.store.move(self._join(_INBOX, file.name), self._join(_WORKING, claim.working_name))
        except InputFileError as error:  # it is gone, or the connection ended: the next night finds out
            LOGGER.warning("not claimed: %s", error, extra={"file": file.name})

    def _copy(self, claim: Claim) -> None:
        """Copy a claimed file into the local folder. If that fails, the next night tries again."""
        source = self._join(_WORKING, claim.working_name)
        if self._find_local(claim) is not None or self.store.find_version(source) is None:
            return
        temporary = self._folder.state_folder / claim.working_name
        try:
            with replace_file(temporary) as stream:
                for block in self.store.read(source):
                    stream.write(block)
                    if stream.tell() > self._settings.max_unpacked_bytes:
                        raise InputFileError(
                            f"It has more than {self._settings.max_unpacked_bytes:,} bytes.", remedy="Split it."
                        )
        except InputFileError as error:
            message, since = (
                f"It cannot be downloaded: {error} {error.remedy or ''}",
                self._claims.find_time(claim),
            )
            self._left.append(LeftFile(f"{_WORKING}/{claim.name}", LeftReason.NOT_DOWNLOADED, message.strip(), since))
            return
        self._claims.save(replace(claim, received=self.store.find_version(source) or ""))
        temporary.replace(self._folder.working / claim.working_name)

    def _write_back(self, claim: Claim, local: Path, now: float) -> None:
        for report in sorted(self._folder.reports.glob(f"{claim.run_id}-*")):
            self.store.write(self._join(_REPORTS, report.name), report.read_bytes())
        source = self._join(_WORKING, claim.working_name)
        version = self.store.find_version(source)
        if version is not None:
            is_whole = version == claim.received
            self.store.move(source, self._join(local.parent.name if is_whole else _FAILED, local.name))
            if not is_whole:
                self._left.append(LeftFile(f"{_FAILED}/{local.name}", LeftReason.CUT_OFF, _CUT_OFF, now))
        self._claims.remove(claim)

    def _find_local(self, claim: Claim) -> Path | None:
        places = (self._folder.working, self._folder.done, self._folder.failed)
        return next((path for place in places for path in place.glob(f"{claim.run_id}-*")), None)

    def _join(self, *parts: str) -> str:
        return "/".join((self._address.path.rstrip("/"), *parts))


def parse_folder(text: str) -> Address:
    """Return the address of a folder, the same with and without a slash at its end.

    Raises `UsageError` if it is not one of sftp or s3.
    """
    address = parse_address(text)
    if address.scheme not in ("sftp", "s3"):
        raise UsageError(
            f"{address} is not a folder.", remedy="Name a folder by sftp:// or s3://, or one of this machine."
        )
    return replace(address, path=address.path.rstrip("/"))


def find_local_root(address: Address, state_dir: Path) -> Path:
    """Return the local folder that stands for a folder elsewhere; its parent is created."""
    name = f"{make_file_name(address.host)}-{hashlib.sha256(str(address).rstrip('/').encode()).hexdigest()[:12]}"
    parent = state_dir / "remote-nights"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return parent / name


def _explain(name: str, names: set[str]) -> tuple[LeftReason, str]:
    if (blocker := find_blocker(name, names)) is not None:
        return LeftReason.INCOMPLETE, f"It is incomplete or open: {blocker}. Rename or close it once it is complete."
    if name.startswith("."):
        return LeftReason.HIDDEN, "Its name begins with a dot, so it is hidden or an incomplete copy."
    return LeftReason.LATE, "It arrived after the night began, or changed meanwhile. The next night sends it."


def _leave(place: str, file: RemoteFile, reason: LeftReason, message: str) -> LeftFile:
    return LeftFile(f"{place}/{file.name}", reason, message, file.changed)
