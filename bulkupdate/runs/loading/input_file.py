"""Load a file: read it, and check it. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from bulkupdate.customers.models import CheckedRow, Correction, Problem, Status
from bulkupdate.customers.schema import check_frame
from bulkupdate.customers.validated_file import CheckedFile, CheckOptions
from bulkupdate.customers.write_policy import WritePolicy, describe_policies, select_fields
from bulkupdate.runs.loading.earlier_rejections import find_rejections
from bulkupdate.runs.loading.input_sheet import InputSheet, read_and_match, read_input_sheet
from bulkupdate.runs.loading.sheet_reading import SheetOptions, UsedReading
from bulkupdate.runs.matching.key import list_arguments
from bulkupdate.runs.matching.live_key import LiveKey
from bulkupdate.runs.matching.matched_input import FindCustomers, MatchedSheet
from bulkupdate.runs.tenant.profile import load_profile
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.data_frame import SOURCE_NAME, hash_frame, read_frame
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet


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
    checked_input = _check(name, read_and_match(name, read, settings, options, find), settings)
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
