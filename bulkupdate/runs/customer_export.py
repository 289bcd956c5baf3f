"""Write live customers to a sheet in the input format, to be edited and sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, UPDATABLE
from bulkupdate.customers.payload import LiveCustomer, format_value
from bulkupdate.customers.problem_summary import name_rows
from bulkupdate.errors import InputFileError
from bulkupdate.runs.live.fetch import LIST_FIELDS, WatchReading, confirm_missing, is_listed, quietly, read_live
from bulkupdate.runs.live.round_trip import to_cell
from bulkupdate.runs.loading.recipe_choice import RecipeChoice
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.sellercloud.client import Client
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.writing.customer_sheet import Remark

ALL_NAMES = tuple(field.name for field in UPDATABLE)
LISTED_NAMES = tuple(name for name in ALL_NAMES if name in LIST_FIELDS)

_SHOWN_ROWS = 5


def read_ids(path: Path, settings: Settings, options: SheetOptions) -> list[str]:
    """Return the customer ids of a sheet, each once, in its order. Raises `InputFileError` if one is not an id."""
    choice = RecipeChoice(settings, options)
    sheet = read_sheet(path, choice.read_options)
    choice.require_fit(sheet.header)
    if choice.key is not None:
        raise InputFileError(
            f"The recipe {options.recipe or 'of these headings'} finds customers by {choice.key.name}; ids are needed.",
            remedy="Fill them in first: `bulkupdate match`.",
        )
    read = [parse_cell(CUSTOMER_ID, text).value for text in sheet.customer_ids]
    bad = [int(row) for row, value in zip(sheet.row_numbers, read, strict=True) if value is None]
    if bad:
        where = name_rows(bad[:_SHOWN_ROWS], len(bad))
        raise InputFileError(
            f"{path}: {len(bad):,} of {len(read):,} rows hold no customer id ({where}).",
            remedy="Fill in the ids, or delete the rows.",
        )
    return list(dict.fromkeys(str(value) for value in read))


@dataclass(frozen=True)
class FirstPage:
    """The first page of the list of all customers.

    `total` is the number of all customers, or of those on this page if the service does not say (`is_counted` False).
    """

    customers: dict[str, LiveCustomer]
    total: int
    is_counted: bool

    @property
    def pages(self) -> int:
        """The number of pages of this size."""
        return -(-self.total // max(1, len(self.customers)))

    def count_requests(self, names: Sequence[str]) -> int:
        """Return the requests still needed to read these fields of all customers."""
        return max(0, self.pages - 1) + (0 if is_listed(names) else self.total)


def read_first_page(client: Client) -> FirstPage:
    """Read the first page of the list of all customers: one request. Raises what the client raises."""
    customers, total = client.list_page(1)
    return FirstPage(customers, len(customers) if total is None else total, total is not None)


def list_everyone(client: Client, first: FirstPage, concurrency: int) -> dict[str, LiveCustomer]:
    """Return all customers with their list fields, until a page has no new one. Raises what the client raises."""
    found = dict(first.customers)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="lister") as pool:
        for customers, _ in pool.map(client.list_page, range(2, first.pages + 1)):
            found |= customers
    for number in count(first.pages + 1) if len(found) < first.total or not first.is_counted else ():
        customers, _ = client.list_page(number)
        if not customers.keys() - found.keys():
            break
        found |= customers
    return found


def read_customers(
    client: Client, customer_ids: Iterable[str], names: Sequence[str], concurrency: int, watch: WatchReading
) -> dict[str, LiveCustomer | None]:
    """Return these customers, in their order, with at least these fields; None for an id the service does not know.

    Raises what the client raises.
    """
    live: dict[str, LiveCustomer | None] = dict.fromkeys(customer_ids)
    live.update(read_live(client, dict.fromkeys(live, names), concurrency, watch))
    missing = [customer_id for customer_id, customer in live.items() if customer is None]
    if is_listed(names):
        live.update(confirm_missing(client, missing, concurrency, quietly(watch)))
    return live


@dataclass
class Export:
    """The contents of the sheet.

    There is a row for each customer, the id first; `remarks` are the values that a sheet cannot hold exactly, `unknown`
    the ids that the service does not know.
    """

    names: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def make_export(customers: Mapping[str, LiveCustomer | None], names: tuple[str, ...]) -> Export:
    """Return the customers as rows; an empty field is a blank cell, which changes nothing when sent."""
    export = Export(names)
    for customer_id, live in customers.items():
        if live is None:
            export.unknown.append(customer_id)
        else:
            cells = (_make_cell(customer_id, name, live, export.remarks) for name in names)
            export.rows.append((customer_id, *cells))
    return export


def _make_cell(customer_id: str, name: str, live: LiveCustomer, remarks: list[Remark]) -> str:
    value = live.get(name)
    if value is None or value in ("", ()):
        return ""
    field = FIELD_BY_NAME[name]
    text, loss = to_cell(field, value)
    if loss:
        remarks.append(Remark(customer_id, name, format_value(field, value), loss))
    return text
