"""Live customers as a sheet in the input format: which, at what cost, and what a sheet cannot hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.customers.recipe import Recipe
from bulkupdate.errors import InputFileError
from bulkupdate.runs.customer_export import (
    ALL_NAMES,
    LISTED_NAMES,
    FirstPage,
    list_everyone,
    make_export,
    read_customers,
    read_first_page,
    read_ids,
)
from bulkupdate.runs.loading.recipe_folder import save_recipe
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings
from tests.conftest import FIRST, write_csv
from tests.runs.in_process import Driver
from tests.runs.live_sheets import count_kinds


@contextmanager
def serve(folder: Path, **options: Any) -> Iterator[tuple[Sandbox, Client]]:
    with Sandbox(SandboxOptions(**options)) as sandbox:
        client = open_client(Driver(sandbox.base_url, folder).make_settings(), Clock(), threading.Event())
        try:
            yield sandbox, client
        finally:
            client.close()


def ignore(*_: object) -> None:
    """Nobody watches."""


def test_all_customers_are_listed_with_one_request_for_each_page(tmp_path: Path) -> None:
    with serve(tmp_path, customers=120) as (sandbox, client):
        first = read_first_page(client)
        assert (first.total, first.is_counted, first.pages) == (120, True, 3)
        assert first.count_requests(LISTED_NAMES) == 2
        assert first.count_requests(ALL_NAMES) == 122
        assert list(list_everyone(client, first, 4)) == [str(FIRST + at) for at in range(120)]
        assert count_kinds(sandbox) == {"list": 3, "token": 1}


def test_without_a_count_pages_are_read_until_one_has_no_new_customer(tmp_path: Path) -> None:
    with serve(tmp_path, customers=100, total_results="missing") as (sandbox, client):
        first = read_first_page(client)
        assert (first.total, first.is_counted) == (50, False)
        assert len(list_everyone(client, first, 4)) == 100
        assert count_kinds(sandbox)["list"] == 3


def test_an_empty_list_costs_no_more_requests() -> None:
    empty = FirstPage({}, 0, is_counted=True)
    assert (empty.pages, empty.count_requests(ALL_NAMES)) == (0, 0)


@pytest.mark.parametrize(("names", "reads"), [(LISTED_NAMES, 1), (ALL_NAMES, 3)])
def test_an_id_that_no_answer_has_is_unknown(tmp_path: Path, names: tuple[str, ...], reads: int) -> None:
    """One that only the list lacks is read before it is called unknown."""
    ids = [str(FIRST + 1), "77", str(FIRST)]
    with serve(tmp_path, customers=5) as (sandbox, client):
        found = read_customers(client, ids, names, 2, ignore)
        assert count_kinds(sandbox)["read"] == reads
    assert list(found) == ids
    assert [found[each] is None for each in ids] == [False, True, False]


def test_rows_are_made_of_what_a_sheet_can_hold_and_the_rest_is_remarked() -> None:
    customers: dict[str, LiveCustomer | None] = {
        "1": {"Name": "Anna", "Fax": "", "Email": None}, "2": None, "3": {"Name": " blank first", "Fax": "007"},
    }  # fmt: skip
    export = make_export(customers, ("Name", "Fax", "Email"))
    assert export.rows[0] == ("1", "Anna", "", "")
    assert export.rows[1][2] == "007"
    assert export.unknown == ["2"]
    (remark,) = export.remarks
    assert (remark.customer_id, remark.field) == ("3", "Name")


def read(folder: Path, lines: list[list[object]], **options: Any) -> list[str]:
    return read_ids(write_csv(folder / "ids.csv", lines), Settings(state_dir=folder), SheetOptions(**options))


def test_ids_are_read_once_each_in_their_order(tmp_path: Path) -> None:
    assert read(tmp_path, [["Customer-ID", "Any"], ["7", ""], ["0005", ""], ["7.0", "x"]]) == ["7", "5"]


def test_rows_without_an_id_are_counted_and_named(tmp_path: Path) -> None:
    lines = [["CustomerId", "Name"], ["7", "a"], ["", "b"], ["x", "c"]]
    with pytest.raises(InputFileError, match=r"2 of 3 rows hold no customer id \(rows 3 and 4\)") as refused:
        read(tmp_path, lines)
    assert refused.value.remedy == "Fill in the ids, or delete the rows."


def test_a_recipe_with_a_key_has_no_ids(tmp_path: Path) -> None:
    save_recipe(tmp_path, Recipe("mail", {"CustomerId": "CustomerId", "Email": "Email"}, key="Email"))
    with pytest.raises(InputFileError, match=r"The recipe mail finds customers by Email; ids are needed\."):
        read(tmp_path, [["CustomerId", "Email"], ["7", "a@example.com"]], recipe="mail")
