"""Write customers as a sheet in the input format, to edit and send: for `undo` and `export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.field_help import add_drop_downs, add_heading_comments, mark_duplicate_ids
from bulkupdate.spreadsheets.writing.instructions_sheet import (
    BLANK_RULE,
    CLEAR_RULE,
    INSTRUCTIONS_SHEET,
    format_instructions,
)
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.tables import Column, format_table, input_columns, write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import StreamedRows, write_workbook

SHEET = "Customers"
REMARKS_SHEET = "Left out"
RESTORED_SHEET = "Values"

_REMARKS = (
    Column("Customer", 13.0), Column("Field", 26.0), Column("Value", 46.0, styles.WRAPPED_TEXT),
    Column("Why the sheet does not hold it exactly", 60.0, styles.WRAPPED_TEXT),
)  # fmt: skip
_RESTORED = (
    Column("Customer", 13.0), Column("Field", 26.0), Column("Sent by the run", 46.0, styles.WRAPPED_TEXT),
    Column("Value before the run", 46.0, styles.WRAPPED_TEXT),
)  # fmt: skip
"""The first heading is not that of the key column, by which a sheet of customers is recognised."""

_RULES = {
    OwnFileKind.EXPORT: (
        "How to edit this export",
        (
            ("Edit", f"the values in the sheet {SHEET}. Rows and columns that you do not need may be deleted."),
            BLANK_RULE,
            CLEAR_RULE,
            ("Check", "the sheet: upload it on the page, or: bulkupdate check FILE.xlsx. Nothing is sent."),
            ("Send", "only what differs: by a tick on the page, or: bulkupdate run FILE.xlsx, option only-changes."),
        ),
    ),
    OwnFileKind.UNDO: (
        "How to undo the run",
        (
            ("The sheet", f"{SHEET} holds the values that the customers had before the run."),
            ("Compare", f"the sheet {RESTORED_SHEET}: what the run sent, beside the previous value."),
            ("Delete", "the rows of customers that should not be restored."),
            BLANK_RULE,
            CLEAR_RULE,
            ("Send", "the sheet: upload it on the page, or: bulkupdate run FILE.xlsx"),
        ),
    ),
}


class Remark(NamedTuple):
    """A value that the sheet does not hold, or not exactly."""

    customer_id: str
    field: str
    value: str
    why: str


class RestoredValue(NamedTuple):
    """A value that an undo sheet restores, as text, and what the run sent."""

    customer_id: str
    field: str
    sent: str
    before: str


def write_customer_sheet(
    path: Path,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    remarks: Sequence[Remark],
    kind: OwnFileKind,
    restored: Sequence[RestoredValue] = (),
) -> None:
    """Write a workbook, or CSV if `path` ends in `.csv`, with the columns CustomerId and `names`.

    A row is the id and a text for each name. `remarks` and `restored` go to separate sheets; a CSV file has no room for
    them. The file is written completely or not at all; only its owner can read it. Raises `UsageError` if it cannot be
    written.
    """
    headings = (CUSTOMER_ID.name, *names)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            write_csv(stream, headings, rows)
            return
        tables = {RESTORED_SHEET: (_RESTORED, restored), REMARKS_SHEET: (_REMARKS, remarks)}
        book = styles.new_book(SHEET, *(title for title, (_, found) in tables.items() if found), INSTRUCTIONS_SHEET)
        fields = {column: FIELD_BY_NAME[name] for column, name in enumerate(headings, start=1)}
        add_heading_comments(book[SHEET], fields)
        add_drop_downs(book[SHEET], fields)
        mark_duplicate_ids(book[SHEET], fields)
        columns = input_columns(headings, rows, styles.OWN_HEADING)
        streamed: dict[str, StreamedRows] = {SHEET: format_table(book[SHEET], columns, rows, len(rows), frozen=1)}
        for title, (layout, found) in tables.items():
            if found:
                shown = ([make_visible(text) for text in line] for line in found)
                streamed[title] = format_table(book[title], layout, shown, len(found))
        title, rules = _RULES[kind]
        streamed[INSTRUCTIONS_SHEET] = format_instructions(book[INSTRUCTIONS_SHEET], title, rules, fields.values())
        write_workbook(book, stream, streamed, kind)
