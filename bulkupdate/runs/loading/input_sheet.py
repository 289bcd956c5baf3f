"""Read a file as a sheet of customers, apply its corrections, and find its customers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.models import Correction
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.loading.corrections import read_corrections
from bulkupdate.runs.loading.recipe_choice import RecipeChoice
from bulkupdate.runs.loading.sheet_reading import SheetOptions, UsedReading, make_read_options
from bulkupdate.runs.matching.key import KEY_OPTION, Key
from bulkupdate.runs.matching.keyed_sheet import find_key_column
from bulkupdate.runs.matching.lookup import read_lookup
from bulkupdate.runs.matching.matched_input import (
    FindCustomers,
    FoundCustomers,
    MatchedSheet,
    match_sheet,
    require_lookup,
)
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.file_type import unreadable_error
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet

ReadSheet = Callable[[ReadOptions], tuple[Sheet, str]]
"""Reads a sheet, and returns it with the SHA-256 by which its content is recognised."""


@dataclass(frozen=True)
class InputSheet:
    """A sheet as it was read and corrected, before the checks.

    `choice` says by which options it was read, `matched` how customers were found.
    """

    sheet: Sheet
    sha256: str
    choice: RecipeChoice
    corrections: tuple[Correction, ...]
    matched: MatchedSheet | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that have a column."""
        return tuple(column.name for column in self.sheet.header.fields if column not in (None, CUSTOMER_ID))

    @property
    def used(self) -> UsedReading:
        """How it was read."""
        return self.choice.record(self.fields)


def read_input_sheet(
    path: Path, settings: Settings, options: SheetOptions, find: FindCustomers | None = None
) -> InputSheet:
    """Read a file, and find its customers if the options name a key: in the lookup sheet, else with `find`.

    Raises `InputFileError` if it is not a sheet of customers, lacks a heading that the options map, or was changed
    while it was read; `UsageError` for an invalid option; and what `find` raises.
    """

    def read(read_options: ReadOptions) -> tuple[Sheet, str]:
        before = hash_file(path)
        sheet = read_sheet(path, read_options)
        if hash_file(path) != before:
            raise InputFileError(f"{path} was changed while it was read.", remedy="Save and close it, then try again.")
        return sheet, before

    return read_and_match(path, read, settings, options, find)


def read_and_match(
    path: Path, read: ReadSheet, settings: Settings, options: SheetOptions, find: FindCustomers | None
) -> InputSheet:
    """Read a sheet with this function, correct it and find its customers. Raises as `read_input_sheet` does."""
    choice = RecipeChoice(settings, options)
    _require_key(options)
    sheet, sha256 = read(choice.read_options)
    choice.require_fit(sheet.header)
    corrections = read_corrections(options.corrections)
    sheet = corrections.apply(sheet, sha256)
    sheet = replace(sheet, notes=(*choice.describe(sheet.header), *sheet.notes))
    key, lookup = choice.key, choice.options.lookup
    if key is None:
        return InputSheet(sheet, sha256, choice, corrections.cells)
    if lookup is not None:
        lookup_options = SheetOptions(heading_map=choice.heading_map)
        find = partial(_look_up, lookup, make_read_options(settings, lookup_options))
    keyed = find_key_column(sheet, key, choice.heading_map, str(path))
    matched = match_sheet(keyed, find or require_lookup, check_ids=options.check_ids, settled=options.settled)
    matched_sheet = replace(matched.sheet, notes=(*sheet.notes, *matched.notes))
    return InputSheet(matched_sheet, sha256, choice, corrections.cells, matched)


def _require_key(options: SheetOptions) -> None:
    if options.key is None and (options.lookup is not None or options.check_ids):
        what = "A lookup sheet" if options.lookup else "--check-ids"
        raise UsageError(f"{what} needs {KEY_OPTION}.", remedy=f"Name the column: {KEY_OPTION} Email.")


def _look_up(path: Path, options: ReadOptions, key: Key, _keys: Sequence[str]) -> FoundCustomers:
    lookup = read_lookup(path, key, options)
    return FoundCustomers(lookup.customers, (lookup.describe(Clock().now()),), is_looked_up=True)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, by which it is recognised; empty if it is not a file."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable_error(path, error) from error
