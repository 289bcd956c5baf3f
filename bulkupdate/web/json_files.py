"""Records of the page, each a JSON object in a file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bulkupdate.files import open_private


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
