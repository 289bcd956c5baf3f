"""The tables of an upload whose columns are not all recognised, kept beside it as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bulkupdate.runs.loading.sheet_layout import SheetLayout
from bulkupdate.web.json_files import read_json, write_json

LAYOUTS = "layouts.json"


def save_layouts(folder: Path, layouts: Sequence[SheetLayout]) -> None:
    """Keep the tables of an upload."""
    write_json(folder / LAYOUTS, {"layouts": [asdict(layout) for layout in layouts]})


def read_layouts(folder: Path) -> list[SheetLayout]:
    """Return the tables; empty if there are none, or another version of the program kept them."""
    try:
        kept = (read_json(folder / LAYOUTS) or {}).get("layouts", ())
        return [
            SheetLayout(
                each["sheet_name"], each["number"], tuple(each["headings"]),
                tuple((number, tuple(cells)) for number, cells in each["rows"]),
            )
            for each in kept
        ]  # fmt: skip
    except (TypeError, KeyError, ValueError):
        return []
