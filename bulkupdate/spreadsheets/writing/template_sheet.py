"""Write the template: a heading for each field, what may be filled in below it, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bulkupdate.customers.fields import FIELDS, Field
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.field_help import add_heading_comments, add_prompts, mark_duplicate_ids
from bulkupdate.spreadsheets.writing.instructions_sheet import (
    BLANK_RULE,
    CLEAR_RULE,
    INSTRUCTIONS_SHEET,
    format_instructions,
)
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.tables import Column, format_table, write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import write_workbook

SHEET = "Customers"

_CREATED = datetime(2026, 1, 1)  # the same template always has the same bytes
_RULES = (
    ("Fill in", f"the sheet {SHEET}: one customer per row, below the headings. Each customer may have one row."),
    ("The customer id", "must be filled in, with the id of an existing customer: no customer is ever created."),
    (BLANK_RULE[0], f"{BLANK_RULE[1]} Columns that you do not need may be deleted."),
    CLEAR_RULE,
    ("Check", "the filled-in sheet: upload it on the page, or: bulkupdate check FILE.xlsx — nothing is sent."),
    ("Send", "it: confirm the plan on the page, or: bulkupdate run FILE.xlsx"),
)


def write_template(path: Path, fields: Sequence[Field] = FIELDS) -> None:
    """Write the sheet to fill in, with these fields: a workbook, or the bare headings if `path` ends in `.csv`.

    It has no example row, which users might send. Raises `UsageError` if the file cannot be written.
    """
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            write_csv(stream, [field.name for field in fields], ())
            return
        book = styles.new_book(SHEET, INSTRUCTIONS_SHEET)
        book.properties.created = _CREATED
        sheet, columns = book[SHEET], dict(enumerate(fields, start=1))
        add_heading_comments(sheet, columns)
        add_prompts(sheet, columns)
        mark_duplicate_ids(sheet, columns)
        streamed = {
            SHEET: format_table(sheet, [Column(field.name, _choose_width(field)) for field in fields], (), 0, frozen=1),
            INSTRUCTIONS_SHEET: format_instructions(
                book[INSTRUCTIONS_SHEET], "How to fill in this workbook", _RULES, fields
            ),
        }
        write_workbook(book, stream, streamed, OwnFileKind.TEMPLATE)


def _choose_width(field: Field) -> float:
    return float(max(len(field.name) + 4, min(len(field.example) + 2, 30)))
