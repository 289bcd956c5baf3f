"""The sources of rows: a file, a DataFrame, or dictionaries."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

import pandas as pd

from bulkupdate.clock import Clock
from bulkupdate.remote.address import is_address, parse_address
from bulkupdate.runs.kept_files import fetch_input
from bulkupdate.runs.loading.input_file import CheckedInput, load_frame, load_input_file
from bulkupdate.runs.loading.input_sheet import hash_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.matching.matched_input import FindCustomers
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.data_frame import hash_frame
from bulkupdate.spreadsheets.reading.sheet import NumberChoice

Source: TypeAlias = str | os.PathLike[str] | pd.DataFrame | Iterable[Mapping[str, Any]]
"""The path or address of a sheet, a DataFrame, or dictionaries with a customer each."""


class ReadingOptions(TypedDict, total=False):
    """How a source is read: the options of the command line that have these names, `--map` and `--decimal`."""

    sheet: str | None
    heading_map: Mapping[str, str]
    decimal_mark: str
    ignore_unknown: bool
    encoding: str | None
    numbers: NumberChoice | None
    key: str | None
    check_ids: bool
    lookup: str | os.PathLike[str] | None
    recipe: str | Path | None
    no_recipe: bool


class SourceRows:
    """A source with its reading options."""

    def __init__(self, source: Source, options: ReadingOptions, settings: Settings) -> None:
        """Download what is an address. Raises as `fetch_input` does."""
        given: dict[str, Any] = dict(options)
        if given.get("lookup") is not None:
            given["lookup"] = _find_file(given["lookup"], settings)
        self.options = SheetOptions(**given)
        self.path = _find_file(source, settings) if isinstance(source, str | os.PathLike) else None
        self._frame = pd.DataFrame() if self.path else _make_frame(source)

    def hash(self) -> str:
        """Return the SHA-256 by which the content is recognised. Raises `InputFileError`."""
        return hash_frame(self._frame) if self.path is None else hash_file(self.path)

    def load(self, settings: Settings, find: FindCustomers | None = None) -> CheckedInput:
        """Read and check the rows. Raises as `load_input_file` does."""
        load = partial(load_frame, self._frame) if self.path is None else partial(load_input_file, self.path)
        return load(settings, self.options, find)


def _find_file(source: str | os.PathLike[str], settings: Settings) -> Path:
    if isinstance(source, str) and is_address(source):
        return fetch_input(parse_address(source), None, settings, Clock().now())
    return Path(source)


def _make_frame(source: Any) -> pd.DataFrame:
    return source if isinstance(source, pd.DataFrame) else pd.DataFrame(list(source), dtype=object)
