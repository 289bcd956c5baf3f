"""Load a file: read it, check it, and identify it by its content. Sends nothing."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from bulkupdate.clock import Clock
from bulkupdate.customers.fields import Field
from bulkupdate.customers.headings import require_mapped_headings
from bulkupdate.customers.models import CheckedRow, Problem, Status
from bulkupdate.customers.schema import check_frame
from bulkupdate.customers.validated_file import CheckedFile, CheckOptions
from bulkupdate.customers.write_policy import WritePolicy, parse_write_policy, select_fields
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.matching.key import KEY_OPTION, Key, find_key, list_arguments
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
from bulkupdate.spreadsheets.reading.data_frame import SOURCE_NAME, hash_frame, read_frame
from bulkupdate.spreadsheets.reading.file_type import unreadable_error
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import NumberChoice, ReadOptions, Sheet

ReadSheet = Callable[[ReadOptions], tuple[Sheet, str]]
"""Reads a sheet, and gives the SHA-256 by which its content is recognised."""


@dataclass(frozen=True)
class SheetOptions:
    """How a file is to be read, as its user says.

    `sheet` None: the only sheet with a key column. `heading_map` adds to the settings' own. `decimal_mark` is a point
    or a comma. `encoding` is that of a text file, None to find out. `numbers` says what counts if a number format
    rounds, None to refuse such cells. `key` names the column that customers are matched by instead of their ids, None
    for the ids; `lookup` is a second sheet with both, None to search the service. `check_ids`: the keys of rows with an
    id are searched as well, to compare the two. `settled` are the user's choices for ambiguous rows: ids by row number.
    """

    sheet: str | None = None
    heading_map: Mapping[str, str] = field(default_factory=dict)
    decimal_mark: str = "."
    ignore_unknown: bool = False
    encoding: str | None = None
    numbers: NumberChoice | None = None
    key: str | None = None
    lookup: Path | None = None
    check_ids: bool = False
    settled: Mapping[int, str] = field(default_factory=dict)

    @property
    def reading(self) -> str:
        """The options that also hold for a sheet made from the file, as `RunOptions` keeps them."""
        arguments = [part for heading, name in self.heading_map.items() for part in ("--map", f"{heading}={name}")]
        arguments += ["--decimal", self.decimal_mark] * (self.decimal_mark != ".")
        return shlex.join(arguments + ["--ignore-unknown"] * self.ignore_unknown)


@dataclass(frozen=True)
class CheckedInput:
    """A checked file.

    `sha256` is that of its bytes; `notes` are what the user should know of how it was read. `shown_as` is the name
    users know it by, None if that is its path. `matched` is how the customers were found, None if by their ids;
    `key_arguments` are the options for that, to be added to a command.
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

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""
        return self.checked.original_headings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checks found."""
        return self.checked.problems

    def rows(self) -> Iterator[CheckedRow]:
        """Every row in the order of the file."""
        return self.checked.rows()

    @property
    def to_send(self) -> int:
        """The rows that would be sent, one request each."""
        return self.checked.counts[Status.NOT_ATTEMPTED]

    @property
    def invalid(self) -> int:
        """The rows that would not, because of a problem."""
        return self.checked.counts[Status.INVALID]


@dataclass(frozen=True)
class InputSheet:
    """A sheet as it was read, before the checks. `matched` is how its customers were found, None if by their ids."""

    sheet: Sheet
    sha256: str
    matched: MatchedSheet | None = None


def load_input_file(
    path: Path, settings: Settings, options: SheetOptions, find: FindCustomers | None = None
) -> CheckedInput:
    """Read and check a file, and find its customers if the options name a key. Raises as `read_input_sheet` does."""
    return _check(path, read_input_sheet(path, settings, options, find), settings, options)


def load_frame(
    frame: pd.DataFrame, settings: Settings, options: SheetOptions, find: FindCustomers | None = None
) -> CheckedInput:
    """Check a pandas DataFrame as `load_input_file` does a file; see `spreadsheets/reading/data_frame.py`."""

    def read(read_options: ReadOptions) -> tuple[Sheet, str]:
        return read_frame(frame, read_options), hash_frame(frame)

    name = Path(SOURCE_NAME)
    checked_input = _check(name, _read_and_match(name, read, settings, options, find), settings, options)
    return replace(checked_input, shown_as=SOURCE_NAME)


def _check(path: Path, read: InputSheet, settings: Settings, options: SheetOptions) -> CheckedInput:
    policies = parse_write_policy(settings.write_policy)
    rules = CheckOptions(
        decimal_mark=options.decimal_mark,
        rating_format=settings.rating_format,
        wholesale_needs_business_name=settings.wholesale_needs_business_name,
        ignore_unknown=options.ignore_unknown,
        never=select_fields(policies, WritePolicy.NEVER),
    )
    sheet = read.sheet
    checked = check_frame(sheet.frame, sheet.header, sheet.row_numbers, rules, sheet.problems)
    return CheckedInput(
        path,
        read.sha256,
        sheet.sheet_name,
        sheet.header.number,
        (*sheet.notes, *_describe_policies(policies, sheet.header.fields)),
        checked,
        matched=read.matched,
        key_arguments=list_arguments(options.key, options.lookup),
    )


def _describe_policies(policies: Mapping[str, WritePolicy], fields: Sequence[Field | None]) -> Iterator[str]:
    """Yield a note on each column of the sheet that is not simply written."""
    for name in (each.name for each in fields if each is not None):
        if policies.get(name) is WritePolicy.NEVER:
            yield f"{name} is never written (write policy): its column is ignored."
        elif policies.get(name) is WritePolicy.ONLY_IF_EMPTY:
            yield f"{name} is only written if the customer's is empty (write policy): a run reads that first."


def read_input_sheet(
    path: Path, settings: Settings, options: SheetOptions, find: FindCustomers | None = None
) -> InputSheet:
    """Read a file, and find its customers if the options name a key: in the lookup sheet, else with `find`.

    Raises `InputFileError` if it is not a sheet of customers, lacks a heading that the options map, or was changed
    while it was read; `UsageError` if an option makes no sense; and what `find` raises.
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
    heading_map = {**settings.heading_map, **options.heading_map}
    key = _find_key(options, heading_map)
    read_map = heading_map if key is None else key.map_to_id(heading_map)
    sheet, sha256 = read(make_read_options(settings, replace(options, heading_map=read_map)))
    require_mapped_headings(sheet.header, options.heading_map)
    if key is None:
        return InputSheet(sheet, sha256)
    if options.lookup is not None:
        lookup_options = SheetOptions(heading_map=heading_map)
        find = partial(_look_up, options.lookup, make_read_options(settings, lookup_options))
    keyed = find_key_column(sheet, key, heading_map, str(path))
    matched = match_sheet(keyed, find or require_lookup, check_ids=options.check_ids, settled=options.settled)
    return InputSheet(replace(matched.sheet, notes=(*sheet.notes, *matched.notes)), sha256, matched)


def _find_key(options: SheetOptions, heading_map: Mapping[str, str]) -> Key | None:
    if options.key is not None:
        return find_key(options.key, heading_map)
    if options.lookup is not None or options.check_ids:
        what = "A lookup sheet" if options.lookup else "--check-ids"
        raise UsageError(f"{what} needs {KEY_OPTION}.", remedy=f"Name the column: {KEY_OPTION} Email.")
    return None


def _look_up(path: Path, options: ReadOptions, key: Key, _keys: Sequence[str]) -> FoundCustomers:
    lookup = read_lookup(path, key, options)
    return FoundCustomers(lookup.customers, (lookup.describe(Clock().now()),))


def make_read_options(settings: Settings, options: SheetOptions) -> ReadOptions:
    """Return how to read a file: as its user says, within the limits of the settings."""
    return ReadOptions(
        sheet=options.sheet,
        heading_map=options.heading_map,
        max_rows=settings.max_rows,
        max_cells=settings.max_cells,
        max_unpacked_bytes=settings.max_unpacked_bytes,
        encoding=options.encoding,
        numbers=options.numbers,
        key=options.key,
    )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, by which it is recognised; empty if it is not a file."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable_error(path, error) from error
