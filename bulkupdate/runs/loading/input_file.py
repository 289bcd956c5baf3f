"""Load a file: read it, check it, and identify it by its content. Sends nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from bulkupdate.clock import Clock
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.models import CheckedRow, Correction, Problem, Status
from bulkupdate.customers.schema import check_frame
from bulkupdate.customers.validated_file import CheckedFile, CheckOptions
from bulkupdate.customers.write_policy import WritePolicy, describe_policies, select_fields
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.loading.corrections import read_corrections
from bulkupdate.runs.loading.earlier_rejections import find_rejections
from bulkupdate.runs.loading.recipe_choice import RecipeChoice
from bulkupdate.runs.loading.sheet_reading import SheetOptions, UsedReading, make_read_options
from bulkupdate.runs.matching.key import KEY_OPTION, Key, list_arguments
from bulkupdate.runs.matching.keyed_sheet import find_key_column
from bulkupdate.runs.matching.live_key import LiveKey
from bulkupdate.runs.matching.lookup import read_lookup
from bulkupdate.runs.matching.matched_input import (
    FindCustomers,
    FoundCustomers,
    MatchedSheet,
    match_sheet,
    require_lookup,
)
from bulkupdate.runs.tenant.profile import load_profile
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.data_frame import SOURCE_NAME, hash_frame, read_frame
from bulkupdate.spreadsheets.reading.file_type import unreadable_error
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet

ReadSheet = Callable[[ReadOptions], tuple[Sheet, str]]
"""Reads a sheet, and returns it with the SHA-256 by which its content is recognised."""


@dataclass(frozen=True)
class CheckedInput:
    """A checked file.

    `sha256` is that of its bytes; `notes` are what the user should know of how it was read. `shown_as` is the name
    users know it by, None if that is its path. `matched` is how the customers were found, None if by their ids;
    `key_arguments` are the options for that, to be added to a command. `live_key` is how keys are compared with live
    customers, None if they are not. `used` is how it was read; `fields` are those that have a column; `corrections` are
    the cells whose texts were replaced.
    """

    path: Path
    sha256: str
    sheet_name: str | None
    heading_row: int
    notes: tuple[str, ...]
    checked: CheckedFile
    shown_as: str | None = None
    matched: MatchedSheet | None = None
    key_arguments: tuple[str | Path, ...] = ()
    live_key: LiveKey | None = None
    used: UsedReading = field(default_factory=UsedReading)
    fields: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""
        return self.checked.original_headings

    @property
    def correctable(self) -> tuple[int, ...]:
        """The columns whose cells can be corrected, as indexes of `original_headings`."""
        is_id_added = self.matched is not None and self.matched.is_id_added
        added = len(self.original_headings) - 1 if is_id_added else None  # it is not in the file
        return tuple(place for place in self.checked.known_columns if place != added)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checks found."""
        return self.checked.problems

    def rows(self) -> Iterator[CheckedRow]:
        """Yield every row in the order of the file."""
        return self.checked.rows()

    @property
    def to_send(self) -> int:
        """The rows that would be sent, one request each."""
        return self.checked.counts[Status.NOT_ATTEMPTED]

    @property
    def invalid(self) -> int:
        """The rows that would not be sent because of a problem."""
        return self.checked.counts[Status.INVALID]


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


def load_input_file(
    path: Path, settings: Settings, options: SheetOptions, find: FindCustomers | None = None
) -> CheckedInput:
    """Read and check a file, and find its customers if the options name a key. Raises as `read_input_sheet` does."""
    return _check(path, read_input_sheet(path, settings, options, find), settings)


def load_frame(
    frame: pd.DataFrame, settings: Settings, options: SheetOptions, find: FindCustomers | None = None
) -> CheckedInput:
    """Check a pandas DataFrame as `load_input_file` does a file; see `spreadsheets/reading/data_frame.py`."""

    def read(read_options: ReadOptions) -> tuple[Sheet, str]:
        return read_frame(frame, read_options), hash_frame(frame)

    name = Path(SOURCE_NAME)
    checked_input = _check(name, _read_and_match(name, read, settings, options, find), settings)
    return replace(checked_input, shown_as=SOURCE_NAME)


def _check(path: Path, read: InputSheet, settings: Settings) -> CheckedInput:
    choice, profile = read.choice, load_profile(settings)
    policies, options = choice.policies, choice.options
    rules = CheckOptions(
        decimal_mark=options.decimal_mark or ".",
        rating_format=profile.derive(settings).rating_format,
        wholesale_needs_business_name=settings.wholesale_needs_business_name,
        ignore_unknown=options.ignore_unknown,
        never=select_fields(policies, WritePolicy.NEVER),
        values=choice.recipe.values if choice.recipe else {},
    )
    sheet = read.sheet
    known = (*sheet.problems, *find_rejections(sheet))
    checked = check_frame(sheet.frame, sheet.header, sheet.row_numbers, rules, known)
    return CheckedInput(
        path,
        read.sha256,
        sheet.sheet_name,
        sheet.header.number,
        (*sheet.notes, *describe_policies(policies, sheet.header.fields), *profile.describe()),
        checked,
        matched=read.matched,
        key_arguments=list_arguments(choice.given.key, choice.given.lookup),
        live_key=read.matched.find_live_key(checked.original_headings) if read.matched else None,
        used=read.used,
        fields=read.fields,
        corrections=read.corrections,
    )


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

    return _read_and_match(path, read, settings, options, find)


def _read_and_match(
    path: Path, read: ReadSheet, settings: Settings, options: SheetOptions, find: FindCustomers | None
) -> InputSheet:
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
