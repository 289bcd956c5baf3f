"""`show`: what happened to a run, without the settings it was sent with."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pyarrow.parquet as pq
from openpyxl import Workbook

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RowOutcome
from tests.conftest import FIRST, write_csv, write_sheet
from tests.postgres import place_of


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


def test_rows_are_written_for_programs(run_program, tmp_path):
    lines = [
        ["CustomerId", "Name", "Email"],
        [FIRST, "=1+1", "a@example.com"],
        [999, "b", ""],
        [FIRST + 1, "", "nobody"],
    ]
    run_program("run", write_csv(tmp_path / "a.csv", lines), "--yes", "--skip-invalid")
    assert run_program("show", "--rows", "-o", "rows.jsonl").told["results"] == "rows.jsonl"
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["Row"], row["CustomerId"], row["Status"], row["HttpStatus"], row["FieldsSent"]) for row in rows] == [
        (2, str(FIRST), "updated", 200, ["Name", "Email"]),
        (3, "999", "rejected", 404, ["Name"]),
        (4, str(FIRST + 1), "invalid", None, []),
    ]
    run_program("show", "--rows", "-o", "rows.parquet")
    assert pq.read_table(tmp_path / "rows.parquet").to_pylist() == rows
    assert not list(tmp_path.glob("rows*fix*"))


def test_rows_need_a_file_of_their_kind(run_program, tmp_path):
    run_program("run", write_sheet(tmp_path / "a.csv", 1), "--yes")
    assert "-o rows.jsonl" in run_program("show", "--rows").err
    assert "must end in .jsonl or .parquet" in run_program("show", "--rows", "-o", "rows.csv").err


def test_what_is_read_of_a_run_belongs_together_though_it_is_being_sent(run_program, tmp_path):
    run_program("run", write_sheet(tmp_path / "a.csv", 3), "--yes", "--limit", 1)
    place = place_of(run_program.state)
    with Journal(place, Clock()) as journal, Journal(place, Clock()) as sender:
        (run,) = journal.runs()
        with journal.home.reading():
            before = journal.tally(run)[Status.UPDATED]
            sender.record(run, outcomes=[RowOutcome(3, Status.UPDATED, 200, 1, "", "2026-03-01T10:15:00Z")])
            assert [line.status for line in journal.lines(run)].count(Status.UPDATED) == before == 1
        assert journal.tally(run)[Status.UPDATED] == 2
