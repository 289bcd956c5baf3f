"""Check where files may be written: never over a file that bulkupdate did not write itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from bulkupdate.errors import UsageError
from bulkupdate.files import WORKBOOK_OR_CSV, check_writable
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind, find_own_kind

_ENDINGS = {
    OwnFileKind.CHECK_REPORT: (".xlsx",),
    OwnFileKind.CHECK_PAGE: (".html", ".htm"),
    OwnFileKind.ROWS: (".jsonl", ".parquet"),
}


def require_output_place(path: Path, kind: OwnFileKind, sources: Iterable[Path] = (), *, force: bool = False) -> None:
    """Raise `UsageError` if a file of this kind cannot or must not be written to `path`.

    Call it before the work begins. One of the `sources` is never overwritten. Any other file is overwritten only if it
    is of the same kind and unchanged since bulkupdate wrote it, or with `force`.
    """
    check_writable(path, _ENDINGS.get(kind, WORKBOOK_OR_CSV))
    option = "--html" if kind is OwnFileKind.CHECK_PAGE else "-o"
    if path.resolve() in {source.resolve() for source in sources}:
        raise UsageError(f"The {kind.value} would overwrite {path}.", remedy=f"Name another file with {option}.")
    if path.exists() and not force and find_own_kind(path) is not kind:
        changed = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        raise UsageError(
            f"{path} exists (last changed {changed:%Y-%m-%d %H:%M}).",
            remedy=f"Name another file with {option}, or add --force.",
        )
