"""The sheets that are measured with: every column of the table, 40 % of the cells blank, nothing invalid."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import xlsxwriter

from bulkupdate.customers.field_types import EMAIL, EMAILS, PHONE, TEXT
from bulkupdate.customers.fields import FIELDS, UPDATABLE, Field

FIRST_ID = 100_001
BLANK_SHARE = 0.4
_ROWS_MADE = 100_000
_CHANGED_EVERY = 100
_REPEATING = ("Title", "Salesman")
"""Texts that few different ones of stand in a sheet; the other texts are different in each row."""


def obtain_sheet(folder: Path, rows: int, ending: str) -> Path:
    """The sheet of so many rows as .csv or .xlsx; made unless it is there."""
    path = folder / f"customers-{rows}{ending}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        {".csv": write_csv, ".xlsx": write_xlsx}[ending](part, make_rows(rows))
        part.replace(path)
    return path


def make_rows(count: int) -> Iterator[list[str]]:
    """The heading, then so many rows; beyond 100,000 the values come again, but for the ids."""
    yield [each.name for each in FIELDS]
    chance = random.Random(7)
    made = [[_make_cell(each, row, chance) for each in UPDATABLE] for row in range(min(count, _ROWS_MADE))]
    for row in range(count):
        yield [str(FIRST_ID + row), *made[row % _ROWS_MADE]]


def _make_cell(each: Field, row: int, chance: random.Random) -> str:
    if chance.random() < BLANK_SHARE:
        return ""
    if each.type is PHONE:
        return f"+49 30 {chance.randrange(10**7):07}"
    if each.type in (EMAIL, EMAILS):
        return f"customer{row}@example.com"
    if each.type is TEXT:
        return f"{each.example} {row % 50 if each.name in _REPEATING else row}"
    return each.example


def write_csv(path: Path, rows: Iterator[list[str]]) -> None:
    """As UTF-8, separated by commas."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


def write_xlsx(path: Path, rows: Iterator[list[str]]) -> None:
    """As Excel keeps it: shared texts, the ids as numbers."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Customers")
    sheet.write_row(0, 0, next(rows))
    for number, (customer_id, *cells) in enumerate(rows, start=1):
        sheet.write_number(number, 0, int(customer_id))
        for column, text in enumerate(cells, start=1):
            if text:
                sheet.write_string(number, column, text)
    book.close()


def list_bodies(count: int) -> list[tuple[str, str]]:
    """Ids and small bodies, for what sends without a sheet."""
    ids = (str(FIRST_ID + row) for row in range(count))
    return [(each, f'{{"Name":"Customer {each}","Email":"customer{each}@example.com"}}') for each in islice(ids, count)]


def count_changed(rows: int) -> int:
    """The rows that `change_some` changes."""
    return -(-rows // _CHANGED_EVERY)


def change_some(sheet: Path, target: Path, when: str = "tonight") -> Path:
    """The sheet with another value in every hundredth row."""
    with sheet.open(newline="", encoding="utf-8") as source, target.open("w", newline="", encoding="utf-8") as stream:
        reader, writer = csv.reader(source), csv.writer(stream)
        heading = next(reader)
        writer.writerow(heading)
        writer.writerows(_change_row(cells, heading, f"Changed {when}", row) for row, cells in enumerate(reader))
    return target


def _change_row(cells: list[str], heading: Sequence[str], text: str, row: int) -> list[str]:
    if row % _CHANGED_EVERY == 0:
        cells[heading.index("Comments")] = f"{text}, row {row}"
    return cells
