"""The folders that page servers on several hosts share: what users uploaded, and the recipes."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from bulkupdate.errors import StoppedError
from bulkupdate.runs.loading.recipe_folder import ENDING
from bulkupdate.runs.loading.recipe_folder import FOLDER as RECIPES
from bulkupdate.store.file_mirror import FileMirror
from bulkupdate.store.shared_store import SharedStore
from bulkupdate.web.exports import RECORD as EXPORT
from bulkupdate.web.exports import SHEET as EXPORT_SHEET
from bulkupdate.web.mails import WISH
from bulkupdate.web.uploads.check_outcome import OUTCOME, delete_outcome
from bulkupdate.web.uploads.found_customers import WANTED
from bulkupdate.web.uploads.layout_store import LAYOUTS
from bulkupdate.web.uploads.live_changes import SUMMARY
from bulkupdate.web.uploads.reviews import RECORD as REVIEW
from bulkupdate.web.uploads.schedules import RECORD as SCHEDULE
from bulkupdate.web.uploads.upload_store import FOLDER as UPLOADS
from bulkupdate.web.uploads.upload_store import RECORD

_RECORDS = (RECORD, EXPORT)
"""The files without which an upload or an export does not exist."""

log = logging.getLogger("bulkupdate.web")


class SharedFolders:
    """Uploads and recipes of all hosts; without a store there is only this one."""

    def __init__(self, store: SharedStore | None, state_dir: Path) -> None:
        self._mirrors = [] if store is None else [
            FileMirror(store, state_dir, UPLOADS, _is_input, _check_again),
            FileMirror(store, state_dir, RECIPES, lambda path: path.suffix == ENDING),
        ]  # fmt: skip

    def pull(self) -> None:
        """Copy what other hosts have changed. Raises `StoppedError` if the database cannot be used."""
        for mirror in self._mirrors:
            mirror.pull()

    def sync(self) -> None:
        """Give the other hosts what has changed here, too; if that fails, the next time makes up for it."""
        try:
            for mirror in self._mirrors:
                mirror.sync()
        except StoppedError as error:
            log.warning("the files were not shared: %s", error)


def _is_input(path: Path) -> bool:
    """Return whether a file of an upload is what users gave; the rest follows from it on each host."""
    is_kept = path.suffix in (ENDING, ".json") and path.name not in (OUTCOME, WANTED, LAYOUTS, SUMMARY)
    return is_kept or path.name == EXPORT_SHEET or path.name.startswith(path.parent.name)


def _check_again(changed: Path) -> None:
    if changed.name in _RECORDS and not changed.exists():
        shutil.rmtree(changed.parent, ignore_errors=True)
    elif changed.name not in (SCHEDULE, REVIEW, WISH):
        delete_outcome(changed.parent)
