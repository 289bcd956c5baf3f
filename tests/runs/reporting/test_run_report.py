"""The object of `--json`: a check names every report that was written."""

from __future__ import annotations

from dataclasses import replace

from openpyxl import Workbook

from bulkupdate.customers.models import Correction
from bulkupdate.errors import ExitCode
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.run_records import RunState
from tests.conftest import FIRST


def test_a_check_names_its_reports_and_its_sheet(run_program, tmp_path):
    book = Workbook()
    book.active.title = "May"
    for row in (["CustomerId", "Email"], [FIRST, "no address"]):
        book.active.append(row)
    book.save(tmp_path / "customers.xlsx")
    found = run_program("check", "customers.xlsx", "-o", "report.xlsx", "--html", "report.html").told
    assert (found["sheet"], found["run"], found["host"], found["to_fix"]) == ("May", None, None, None)
    assert (found["results"], found["html"]) == ("report.xlsx", "report.html")
    assert (tmp_path / found["annotated"]).is_file()
    for name in ("results", "html", "annotated"):
        assert (tmp_path / found[name]).stat().st_size
    without = run_program("check", "customers.xlsx").told
    assert [without[name] for name in ("results", "html", "annotated")] == [None, None, None]
    assert without.keys() == found.keys()


def test_a_command_that_fails_has_every_key_too(run_program):
    refused = run_program("check", "nowhere.xlsx").told
    assert refused.keys() == run_program("run", "nowhere.xlsx", "--yes").told.keys()
    assert (refused["schema"], refused["reasons"], refused["ended"], refused["rows"]) == (1, [], None, 0)


def test_why_a_run_was_stopped_is_told_and_nothing_of_one_that_was_not():
    run = RunReport(run="r", file="a.csv", state=RunState.STOPPED, exit_code=ExitCode.STOPPED, rows=2)
    assert replace(run, stopped_by="It was stopped by ann.").to_json()["stopped_by"] == "It was stopped by ann."
    assert run.to_json()["stopped_by"] is None


def test_corrections_are_listed_with_their_places():
    run = RunReport(run="r", file="a.csv", state=RunState.FINISHED, exit_code=ExitCode.DONE, rows=2)
    corrected = replace(run, corrections=(Correction(2, "Fax", "1", "2"),)).to_json()["corrections"]
    assert corrected == [{"row": 2, "column": "Fax", "before": "1", "after": "2"}]
