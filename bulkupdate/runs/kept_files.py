"""Files that the state folder keeps because they have no other place: inputs that were piped in, and their results."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from bulkupdate.errors import InputFileError
from bulkupdate.files import replace_file
from bulkupdate.remote.address import Address
from bulkupdate.remote.download import Download
from bulkupdate.remote.opening import open_download
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.runs.reporting.results import default_results_path
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.file_type import ENDINGS, ENDINGS_BY_CONTENT_TYPE
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path

_STEM_LENGTH = 60


def results_folder(state_dir: Path) -> Path:
    """Return where the results of a run are kept if its input has no place of its own."""
    return state_dir / "results"


def inputs_folder(state_dir: Path) -> Path:
    """Return where inputs are kept that are not files of this machine."""
    return state_dir / "inputs"


def make_inputs_folder(state_dir: Path) -> Path:
    """Return that folder, which is made if it does not exist. Raises `OSError`."""
    folder = inputs_folder(state_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep_input(stem: str, ending: str, blocks: Iterable[bytes], settings: Settings, now: float) -> Path:
    """Write data from elsewhere into the state folder, for the commands that follow; return where it is.

    `purge` deletes it. Raises `InputFileError` if it is more than the settings allow, `UsageError` if it cannot be
    written, and what `blocks` raises: then nothing is kept.
    """
    path = make_inputs_folder(settings.state_dir) / f"{stem}-{new_run_id(now)}{ending}"
    with replace_file(path) as stream:
        for block in blocks:
            if stream.tell() + len(block) > settings.max_unpacked_bytes:
                raise InputFileError(
                    f"The data has more than {settings.max_unpacked_bytes:,} bytes.",
                    remedy="Split it into several files, or raise the limit.",
                )
            stream.write(block)
    return path


def fetch_input(
    address: Address, ending: str | None, settings: Settings, now: float, allowed_hosts: Collection[str] | None = None
) -> Path:
    """Download a file into the state folder; return where it is.

    `ending` says what it is, None if its name or its server does. `allowed_hosts` None: any host; else those with
    public addresses, and these. Raises `InputFileError` if it cannot be read or is too large, `UsageError` if a package
    is missing.
    """
    with open_download(address, settings.timeout, allowed_hosts) as download:
        found = ending or next((ending for ending in _list_endings(address, download) if ending in ENDINGS), None)
        if found is None:
            raise InputFileError(
                f"{address}: neither its name nor its server says what kind of file it is.",
                remedy="If you know it, name it: --format csv.",
            )
        stem = re.sub(r"\W+", "-", address.name.stem)[:_STEM_LENGTH].strip("-") or "download"
        return keep_input(stem, found, download.blocks, settings, now)


def _list_endings(address: Address, download: Download) -> Iterator[str]:
    yield address.name.suffix.lower()
    yield ENDINGS_BY_CONTENT_TYPE.get(download.content_type, "")


def place_results(source: Path | None, run_id: str, state_dir: Path) -> Path:
    """Return where the results go if the user names no file: beside the input, else into the state folder.

    `source` None: the input is not a file.
    """
    if source is not None and source.resolve().parent != inputs_folder(state_dir).resolve():
        return default_results_path(source, run_id)
    folder = results_folder(state_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{run_id}.xlsx"


def delete_kept_results(state_dir: Path, results: Path) -> None:
    """Delete the results of a run, if they are in the state folder."""
    if results.parent == results_folder(state_dir).resolve():
        for path in (results, to_fix_path(results)):
            with suppress(OSError):
                path.unlink()


def delete_inputs_before(state_dir: Path, before: float) -> None:
    """Delete the inputs that were kept before that time (seconds since 1970)."""
    for path in inputs_folder(state_dir).glob("*"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
