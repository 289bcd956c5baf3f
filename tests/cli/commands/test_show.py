"""`show`: what happened to a run, without the settings it was sent with."""

from __future__ import annotations

from urllib.parse import urlsplit

from openpyxl import Workbook

from tests.conftest import FIRST, write_csv, write_sheet


def test_it_shows_counts_reasons_and_what_is_left_but_no_settings(run_program, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [["CustomerId", "Name"], [FIRST, "a"], [999, "b"]])
    done = run_program("run", sheet, "--yes", "-o", tmp_path / "r.xlsx")
    shown = run_program("show", json=False)
    assert f"Run:                     {done.told['run']}" in shown.out
    assert "Rows rejected:           1" in shown.out
    assert "(row 3)" in shown.out
    assert "Setting" not in shown.out
    assert f"Correct 1 row in {tmp_path / 'r-to-fix.xlsx'}." in shown.err


def test_its_json_is_the_object_of_the_run(run_program, tmp_path):
    done = run_program("run", write_sheet(tmp_path / "customers.csv", 2), "--yes", "-o", tmp_path / "r.xlsx").told
    shown = run_program("show").told
    assert shown == done
    assert (shown["schema"], shown["host"], shown["parent"]) == (
        1,
        urlsplit(run_program.environment["BULKUPDATE_BASE_URL"]).netloc,
        None,
    )
    assert shown["started"] <= shown["ended"]
    assert (shown["to_fix"], shown["reasons"], shown["stopped_by"]) == (None, [], None)


def test_a_run_knows_the_sheet_that_was_read(run_program, tmp_path):
    book = Workbook()
    book.active.title = "May"
    for row in (["CustomerId", "Name"], [FIRST, "Anna"]):
        book.active.append(row)
    book.save(tmp_path / "customers.xlsx")
    assert run_program("run", "customers.xlsx", "--yes").told["sheet"] == "May"
    assert "Sheet:                   May" in run_program("show", json=False).out
