"""`export`: live customers as a sheet in the input format, which changes nothing when it is given back."""

from __future__ import annotations

import csv

from openpyxl import load_workbook

from bulkupdate.customers.fields import FIELDS
from tests.conftest import FIRST, find_puts, write_csv
from tests.runs.live_sheets import LISTED, as_cell, count_kinds, last_number
from tests.runs.test_undo_sheet import TRICKY, set_live


def read_sheet(path):
    return list(load_workbook(path)["Customers"].iter_rows(values_only=True))


def test_an_export_given_back_is_unchanged_row_by_row(run_program, make_sandbox):
    sandbox = make_sandbox(customers=120)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    done = run_program("export", "-o", "all.xlsx")
    assert done.exit_code == 0
    assert done.told["rows"] == 120
    assert count_kinds(sandbox) == {"list": 3, "read": 120, "token": 1}
    assert "takes 122 more requests;" in done.err
    rows = read_sheet(run_program.folder / "all.xlsx")
    assert rows[0] == tuple(each.name for each in FIELDS)
    assert [row[0] for row in rows[1:]] == [str(FIRST + at) for at in range(120)]
    for at, row in enumerate(rows[1:]):
        customer = sandbox.customer(FIRST + at)
        assert [cell or "" for cell in row[1:]] == [as_cell(each.name, customer[each.name]) for each in FIELDS[1:]]
    back = run_program("run", "all.xlsx", "--only-changes", "--yes")
    assert (back.exit_code, back.counts) == (0, {"unchanged": 120})
    assert find_puts(sandbox) == []


def test_only_the_customers_of_a_sheet_and_the_unknown_are_named(run_program, sandbox, tmp_path):
    write_csv(
        tmp_path / "ids.csv",
        [["Customer-ID", "Whatever"], [FIRST + 5, "x"], [77, ""], [FIRST + 2, ""], [f"{FIRST + 5}.0", ""]],
    )
    done = run_program("export", "--ids", "ids.csv", "-o", "some.csv")
    assert done.exit_code == 1
    assert done.told["unknown"] == ["77"]
    assert "77" in done.err
    with (tmp_path / "some.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert [row[0] for row in rows] == ["CustomerId", str(FIRST + 5), str(FIRST + 2)]
    assert count_kinds(sandbox) == {"read": 3, "token": 1}


def test_a_row_without_an_id_refuses_the_sheet_of_ids(run_program, sandbox, tmp_path):
    write_csv(tmp_path / "ids.csv", [["CustomerId", "Name"], [FIRST, "A"], ["abc", "B"], ["", "C"]])
    done = run_program("export", "--ids", "ids.csv", "-o", "some.csv")
    assert done.exit_code == 3
    assert "2 of 3 rows hold no customer id (rows 3 and 4)" in done.err
    assert sandbox.requests == ()
    assert run_program("export", "--ids", "ids.csv", "-o", "ids.csv").exit_code == 2


def test_the_fields_of_the_list_cost_one_call_for_fifty(run_program, sandbox, tmp_path):
    done = run_program("export", "--list-fields", "-o", "listed.xlsx")
    assert done.told["rows"] == 3000
    assert count_kinds(sandbox) == {"list": 60, "token": 1}
    assert set(read_sheet(tmp_path / "listed.xlsx")[0]) == {"CustomerId", *LISTED}
    number = last_number(sandbox)
    assert run_program("run", "listed.xlsx", "--only-changes", "--yes").counts == {"unchanged": 3000}
    assert count_kinds(sandbox, after=number) == {"list": 60, "token": 1}


def test_texts_that_no_sheet_can_hold_are_left_out_and_named(run_program, sandbox, tmp_path):
    for at, text in enumerate(TRICKY):
        set_live(sandbox, FIRST + at, Comments=text, BusinessAliases=["a; b", "c"] if at == 0 else ["a", "b"])
    ids = write_csv(tmp_path / "ids.csv", [["CustomerId"], *([FIRST + at] for at in range(12))])
    done = run_program("export", "--ids", ids, "-o", "some.xlsx")
    assert done.exit_code == 0
    left_out = list(load_workbook(tmp_path / "some.xlsx")["Left out"].iter_rows(values_only=True))[1:]
    assert [(row[0], row[1]) for row in left_out] == [
        (str(FIRST), "BusinessAliases"), (str(FIRST), "Comments"),
        *((str(FIRST + at), "Comments") for at in (3, 4, 11)),
    ]  # fmt: skip
    headings, *rows = read_sheet(tmp_path / "some.xlsx")
    assert rows[1][headings.index("Comments")] == "=1+1"
    cells = load_workbook(tmp_path / "some.xlsx")["Customers"]
    assert not [cell.coordinate for row in cells.iter_rows() for cell in row if cell.data_type in ("f", "e")]
    back = run_program("run", "some.xlsx", "--only-changes", "--yes")
    assert back.counts == {"unchanged": 12}


def test_a_place_that_cannot_be_written_is_found_before_anything_is_read(run_program, sandbox):
    assert run_program("export", "-o", "nowhere/some.xlsx").exit_code == 2
    assert sandbox.requests == ()


def test_without_a_name_each_export_gets_one_of_its_own(run_program, sandbox, tmp_path):
    ids = write_csv(tmp_path / "ids.csv", [["CustomerId"], [FIRST]])
    path = run_program("export", "--ids", ids).told["results"]
    assert path.startswith("customers-export-")
    assert (tmp_path / path).exists()
