"""Exports of live customers: the record of each, and the reading of the customers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.customer_export import (
    ALL_NAMES,
    LISTED_NAMES,
    list_everyone,
    make_export,
    read_customers,
    read_first_page,
)
from bulkupdate.runs.live.fetch import WatchReading, count_requests, is_listed
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.web.json_files import read_record, write_json
from bulkupdate.web.uploads.check_store import StoredCheck

RECORD = "export.json"
SHEET = "export.xlsx"


@dataclass(frozen=True)
class CustomerExport:
    """An export that a user has asked for, at `at` (ISO 8601, UTC).

    `source` is the upload whose customers are read, `name` its name, both empty for all customers. `is_short`: only the
    fields of the list. `requests` is what reading costs and `total` the number of customers, None until they are
    counted. `written` customers are in the sheet and `unknown` ids are not, None until it is there.
    """

    id: str
    owner: str
    host: str
    at: str
    source: str
    name: str
    is_short: bool
    requests: int | None = None
    total: int | None = None
    written: int | None = None
    unknown: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are read."""
        return LISTED_NAMES if self.is_short else ALL_NAMES


def save_export(folder: Path, export: CustomerExport) -> None:
    """Write the record of an export into its folder."""
    write_json(folder / RECORD, asdict(export))


def read_export(folder: Path) -> CustomerExport | None:
    """Return the export of a folder; None if there is none."""
    return read_record(folder / RECORD, CustomerExport)


def list_ids(check: StoredCheck) -> list[str]:
    """Return the customers of a checked sheet, each once, in its order; without what is no customer id."""
    ids = dict.fromkeys(row.customer_id for row in check.rows())
    return [customer_id for customer_id in ids if parse_cell(CUSTOMER_ID, customer_id).value is not None]


def count_listed(export: CustomerExport, ids: list[str]) -> tuple[int, int]:
    """Return the requests that reading these customers costs, and their number."""
    return count_requests(export.names for _ in ids), len(ids)


def count_everyone(export: CustomerExport, context: RunContext) -> tuple[int, int]:
    """Return the same for all customers. Costs a request and a sign-in. Raises what the client raises."""
    first = read_first_page(context.client)
    return 1 + first.count_requests(export.names), first.total


def write_export(
    export: CustomerExport, ids: Iterable[str] | None, folder: Path, context: RunContext, watch: WatchReading
) -> tuple[int, int]:
    """Read the customers (None: all) and write the sheet. Return how many are in it, and how many ids are unknown.

    Raises what the client raises, and `UsageError` if the sheet cannot be written.
    """
    client, concurrency = context.client, context.settings.concurrency
    found: dict[str, LiveCustomer | None] = {}
    if ids is None:
        found.update(list_everyone(client, read_first_page(client), concurrency))
        watch(len(found) if export.is_short else 0, None)
    if ids is not None or not is_listed(export.names):
        found = read_customers(client, ids if ids is not None else found, export.names, concurrency, watch)
    made = make_export(found, export.names)
    write_customer_sheet(folder / SHEET, export.names, made.rows, made.remarks, OwnFileKind.EXPORT)
    return len(made.rows), len(made.unknown)
