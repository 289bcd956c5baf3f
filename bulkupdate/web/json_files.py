"""Records of the page, each a JSON object in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bulkupdate.files import open_private

_Record = TypeVar("_Record")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object in one step, readable by the server's account only."""
    temporary = path.with_suffix(".tmp")
    with open_private(temporary, replace=True) as file:
        file.write(json.dumps(content, ensure_ascii=False).encode("utf-8"))
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a file; None if there is no file, or no object in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def read_record(path: Path, make: Callable[..., _Record]) -> _Record | None:
    """Return what `make` makes of the object in a file; None if there is none, or another version wrote it."""
    content = read_json(path)
    try:
        return None if content is None else make(**content)
    except TypeError:
        return None
