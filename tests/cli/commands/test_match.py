"""`match`, and `--key` with `check` and `run`: customers found by e-mail or in a lookup sheet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font, PatternFill

from bulkupdate.errors import ExitCode
from tests.conftest import FIRST, find_puts, read_results, write_csv


@pytest.fixture
def emails(sandbox: Any) -> list[str]:
    """The e-mails of the first customers."""
    return [str((sandbox.customer(FIRST + at) or {})["Email"]) for at in range(6)]


def share_email(sandbox: Any, customer_id: int, email: str) -> None:
    sandbox.service.registry.update(customer_id, {"Email": email}, is_applied=True)


def read_rows(path: Path, sheet: str | None = None) -> list[tuple[Any, ...]]:
    book = load_workbook(path)
    return list((book[sheet] if sheet else book.active).iter_rows(values_only=True))  # type: ignore[union-attr]


def test_what_checks_rows_is_not_loaded() -> None:
    """It takes a quarter of a second."""
    code = "import sys, bulkupdate.cli.commands.match; print('pandera' in sys.modules, 'pandas' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "True"]


def write_mixed(path: Path, emails: list[str]) -> Path:
    """Rows of every outcome: matched, ambiguous, no match, two of one customer, an id of its own, a blank key."""
    rows: list[list[object]] = [
        ["", emails[0].upper(), "A"], ["", f" {emails[1]} ", "B"], ["", "shared@example.com", "C"],
        ["", "nobody@example.com", "D"], ["", emails[2], "E"], ["", emails[2], "F"], [FIRST + 5, "any@x.com", "G"],
        ["", "", "H"],
    ]  # fmt: skip
    return write_csv(path, [["CustomerId", "Email", "Name"], *rows])


def test_a_run_by_email_updates_exactly_the_customers_found(run_program, sandbox, tmp_path, emails):
    for at in (3, 4):
        share_email(sandbox, FIRST + at, "shared@example.com")
    sheet = write_mixed(tmp_path / "sheet.csv", emails)
    answer = run_program("run", sheet, "--key", "Email", "--yes", "--skip-invalid", "-o", tmp_path / "r.csv")
    assert answer.counts == {"updated": 3, "invalid": 5}
    assert sorted(find_puts(sandbox)) == [str(FIRST), str(FIRST + 1), str(FIRST + 5)]
    assert [sandbox.customer(FIRST + at)["Name"] for at in (0, 1, 5)] == ["A", "B", "G"]
    assert sandbox.customer(FIRST)["Email"] == emails[0], "the key is not sent"
    codes = [problem["code"] for problem in answer.told["problems"]]
    assert codes == ["ambiguous-match", "no-match", "duplicate-match", "duplicate-match", "no-match"]
    lines = read_results(tmp_path / "r.csv")
    assert [line["CustomerId"] for line in lines][:2] == [str(FIRST), str(FIRST + 1)]
    assert "--key Email" in answer.told["next"]


def test_a_row_settled_in_the_to_fix_file_is_sent_and_the_others_are_not(run_program, sandbox, tmp_path, emails):
    for at in (3, 4):
        share_email(sandbox, FIRST + at, "shared@example.com")
    sheet = write_mixed(tmp_path / "sheet.csv", emails)
    run_program("run", sheet, "--key", "Email", "--yes", "--skip-invalid", "-o", tmp_path / "r.xlsx")
    to_fix = tmp_path / "r-to-fix.xlsx"
    before = len(sandbox.requests)
    for options in ((), ("--key", "Email")):
        again = run_program("run", to_fix, *options, "--yes", "--skip-invalid")
        assert again.counts == {"invalid": 5}, "given back unchanged, nothing is sent"
    book = load_workbook(to_fix)
    headings = [cell.value for cell in book.active[1]]
    row = next(row for row in book.active.iter_rows(min_row=2) if "shared@example.com" in [cell.value for cell in row])
    row[headings.index("CustomerId")].value = FIRST + 4
    book.save(to_fix)
    answer = run_program("run", to_fix, "--key", "Email", "--yes", "--skip-invalid")
    assert answer.counts == {"updated": 1, "invalid": 4}
    assert find_puts(sandbox, after=before) == [str(FIRST + 4)]


def test_a_lookup_sheet_makes_no_request_and_its_age_is_said(run_program, sandbox, tmp_path):
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Kundennr"], [FIRST, "K-1"], [FIRST + 1, "K-2"],
                                               [FIRST + 2, "K-2"], [FIRST, " K-1 "]])  # fmt: skip
    sheet = write_csv(tmp_path / "sheet.csv", [["Kundennr", "Name"], [" K-1", "A"], ["K-2", "B"], ["k-1", "C"]])
    answer = run_program("check", sheet, "--key", "Kundennr", "--lookup", lookup, "-o", tmp_path / "report.xlsx")
    assert [problem["code"] for problem in answer.told["problems"]] == ["ambiguous-match", "no-match"]
    assert "list.csv (3 customers)" in answer.err
    assert " ago" in answer.err
    assert not sandbox.requests
    lines = [line[:5] for line in read_rows(tmp_path / "report.xlsx", "Matches")]
    assert lines == [
        ("Row", "Key", "Result", "CustomerId", "Candidate"), (2, "K-1", "matched", str(FIRST), str(FIRST)),
        (3, "K-2", "ambiguous", None, str(FIRST + 1)), (3, "K-2", "ambiguous", None, str(FIRST + 2)),
        (4, "k-1", "no match", None, None),
    ]  # fmt: skip


def test_an_id_whose_key_is_that_of_another_customer_is_held(run_program, sandbox, tmp_path):
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Nr"], [FIRST, "1"], [FIRST + 1, "2"]])
    sheet = write_csv(tmp_path / "sheet.csv", [["CustomerId", "Nr", "Name"], [FIRST + 1, "1", "A"], ["", "1", "B"]])
    options = ("--key", "Nr", "--lookup", lookup, "--yes", "--skip-invalid", "-o", tmp_path / "r.csv")
    answer = run_program("run", sheet, *options)
    assert [problem["code"] for problem in answer.told["problems"]] == ["key-conflict"]
    assert find_puts(sandbox) == [str(FIRST)]
    again = run_program("run", tmp_path / "r-to-fix.xlsx", "--ignore-unknown", "--yes")
    assert (again.exit_code, again.counts) == (ExitCode.FILE_REFUSED, {"invalid": 1}), "the id is still refused"
    assert find_puts(sandbox) == [str(FIRST)]


def test_a_lookup_that_cannot_be_read_for_certain_is_refused(run_program, tmp_path):
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Nr"], ["12a", "1"], [FIRST, "2"]])
    sheet = write_csv(tmp_path / "sheet.csv", [["Nr", "Name"], ["2", "A"]])
    answer = run_program("check", sheet, "--key", "Nr", "--lookup", lookup)
    assert answer.exit_code == ExitCode.FILE_REFUSED
    assert "1 of its rows hold no valid customer id (row 2)" in answer.err


def test_a_key_that_is_shown_rounded_is_no_key_even_if_given_back(run_program, sandbox, tmp_path):
    """What is shown, 1235, is the key of another customer than what is held, 1234.6."""
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Nr"], [FIRST, "1235"]])
    book = Workbook()
    for line in (["Nr", "Name"], [1234.6, "A"]):
        book.active.append(line)
    book.active["A2"].number_format = "0"
    book.save(tmp_path / "sheet.xlsx")
    options = ("--key", "Nr", "--lookup", lookup, "--yes")
    first = run_program("run", tmp_path / "sheet.xlsx", *options, "--skip-invalid", "-o", tmp_path / "r.xlsx")
    assert [problem["code"] for problem in first.told["problems"]] == ["rounded-display", "no-match"]
    again = run_program("run", tmp_path / "r-to-fix.xlsx", *options)
    assert again.exit_code == ExitCode.FILE_REFUSED
    assert not find_puts(sandbox)


def test_an_error_of_a_spreadsheet_is_no_key_even_beside_an_id_and_given_back(run_program, sandbox, tmp_path):
    """Two cells with #N/A do not name the same customer."""
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Nr"], [FIRST, "1"], [FIRST + 1, "#N/A"]])
    rows: list[list[object]] = [["", "1", "A"], ["", "#N/A", "B"], [FIRST + 2, "#N/A", "C"]]
    sheet = write_csv(tmp_path / "sheet.csv", [["CustomerId", "Nr", "Name"], *rows])
    refused = run_program("run", sheet, "--key", "Nr", "--lookup", lookup, "--yes")
    assert (refused.exit_code, "row 3" in refused.err) == (ExitCode.FILE_REFUSED, True)
    write_csv(lookup, [["CustomerId", "Nr"], [FIRST, "1"]])
    for path, results in ((sheet, "r.xlsx"), (tmp_path / "r-to-fix.xlsx", "again.xlsx")):
        options = ("--key", "Nr", "--lookup", lookup, "--yes", "--skip-invalid", "-o", tmp_path / results)
        assert run_program("run", path, *options).counts["invalid"] == 2
        assert find_puts(sandbox) == [str(FIRST)]


def test_ids_are_compared_with_their_keys_if_asked_for(run_program, sandbox, tmp_path, emails):
    rows = [[FIRST, emails[0], "A"], [FIRST + 1, emails[2], "B"], [FIRST + 3, "nobody@example.com", "C"]]
    sheet = write_csv(tmp_path / "sheet.csv", [["CustomerId", "Email", "Name"], *rows])
    assert run_program("check", sheet, "--key", "Email").told["problems"] == []
    assert not sandbox.requests
    answer = run_program("check", sheet, "--key", "Email", "--check-ids")
    assert [(problem["row"], problem["code"]) for problem in answer.told["problems"]] == [
        (3, "key-conflict"), (4, "key-conflict")
    ]  # fmt: skip
    assert answer.told["calls"] == len(sandbox.requests)
    answer = run_program("match", sheet, "--key", "Email", "--check-ids")
    assert answer.told["next"].endswith("--key Email --check-ids"), "the ids in doubt are not sent unchecked"


def test_match_overwrites_only_what_it_wrote_itself(run_program, sandbox, tmp_path, emails):
    book = Workbook()
    for line in (["Email", "Name"], [emails[0], "A"]):
        book.active.append(line)
    book.save(tmp_path / "sheet.xlsx")
    command = ("match", tmp_path / "sheet.xlsx", "--key", "Email")
    assert [run_program(*command).exit_code for _ in range(2)] == [ExitCode.DONE, ExitCode.DONE]
    edited = load_workbook(tmp_path / "sheet-matched.xlsx")
    edited.active["B2"] = "edited"
    edited.save(tmp_path / "sheet-matched.xlsx")
    answer = run_program(*command)
    assert (answer.exit_code, "exists" in answer.err) == (ExitCode.USAGE, True)
    assert load_workbook(tmp_path / "sheet-matched.xlsx").active["B2"].value == "edited"


def test_match_keeps_the_formats_of_a_workbook(run_program, sandbox, tmp_path, emails):
    book = Workbook()
    book.active.title = "Liste"
    for line in (["E-Mail", "Umsatz"], [emails[0], 1234.5], ["nobody@example.com", 7]):
        book.active.append(line)
    book.active["A1"].font, book.active["A1"].fill = Font(bold=True), PatternFill("solid", fgColor="336699")
    book.active["B2"].number_format = "#,##0.00"
    book.save(tmp_path / "sheet.xlsx")
    answer = run_program("match", tmp_path / "sheet.xlsx", "--key", "Email")
    assert (answer.exit_code, answer.told["matches"]) == (ExitCode.INCOMPLETE, {"matched": 1, "no match": 1})
    assert answer.told["results"] == str(tmp_path / "sheet-matched.xlsx")
    sheet = load_workbook(tmp_path / "sheet-matched.xlsx").active
    assert [[cell.value for cell in row][:3] for row in sheet.iter_rows()] == [
        ["E-Mail", "Umsatz", "CustomerId"], [emails[0], 1234.5, FIRST], ["nobody@example.com", 7, None],
    ]  # fmt: skip
    assert [sheet["D1"].value, str(sheet["D2"].value)[:16]] == ["Match", "found by E-Mail:"]
    assert (sheet["A1"].font.bold, sheet["B2"].number_format) == (True, "#,##0.00")
    assert not find_puts(sandbox)


def test_a_matched_csv_can_be_sent_without_another_search(run_program, sandbox, tmp_path, emails):
    sheet = write_csv(tmp_path / "sheet.csv", [["Email", "Name"], [emails[0], "A"], [emails[1], "B"]])
    assert run_program("match", sheet, "--key", "Email").exit_code == ExitCode.DONE
    before = len(sandbox.requests)
    answer = run_program("run", tmp_path / "sheet-matched.csv", "--key", "Email", "--yes", "--snapshot")
    assert answer.counts == {"updated": 2}
    assert all("customerIds" in each.query for each in sandbox.requests[before:] if each.kind == "list")
    undone = run_program("undo", answer.told["run"], "--run", "--yes")
    assert undone.counts == {"updated": 2}


def test_results_of_a_run_by_key_can_be_given_back(run_program, sandbox, tmp_path, emails):
    sheet = write_csv(tmp_path / "sheet.csv", [["Email", "Name"], [emails[0], "A"], ["nobody@example.com", "B"]])
    run_program("run", sheet, "--key", "Email", "--yes", "--skip-invalid", "-o", tmp_path / "r.xlsx")
    answer = run_program("check", tmp_path / "r.xlsx", "--key", "Email")
    assert answer.counts == {"not attempted": 1, "invalid": 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("match", "sheet.csv"), "Name it: --key Email"),
        (("check", "sheet.csv", "--lookup", "list.csv"), "A lookup sheet needs --key"),
        (("check", "sheet.csv", "--key", "SourceId"), "cannot be searched by SourceId"),
        (("check", "sheet.csv", "--key", "CustomerId"), "is the customer id"),
    ],
)
def test_wrong_uses_are_explained(run_program, sandbox, tmp_path, arguments, words):
    write_csv(tmp_path / "sheet.csv", [["SourceId", "Name"], ["S-1", "A"]])
    answer = run_program(*arguments)
    assert answer.exit_code == ExitCode.USAGE
    assert words in answer.err
    assert not find_puts(sandbox)


def test_a_customer_whose_email_changes_after_the_search_is_still_the_one_found(make_sandbox, run_program, tmp_path):
    changing = make_sandbox(customers=30, changing_emails=1.0)
    emails = [str((changing.customer(FIRST + at) or {})["Email"]) for at in range(3)]
    sheet = write_csv(tmp_path / "sheet.csv", [["Email", "Name"], *([email, "N"] for email in emails)])
    answer = run_program("run", sheet, "--key", "Email", "--yes", base_url=changing.base_url)
    assert answer.counts == {"updated": 3}
    assert sorted(find_puts(changing)) == [str(FIRST + at) for at in range(3)]


def test_confirmed_rows_are_not_sent_again_and_live_customers_can_be_compared(run_program, sandbox, tmp_path, emails):
    sheet = write_csv(tmp_path / "sheet.csv", [["Email", "Name"], [emails[0], "A"], [emails[1], "B"]])
    assert run_program("run", sheet, "--key", "Email", "--yes").counts == {"updated": 2}
    before = len(sandbox.requests)
    again = run_program("run", sheet, "--key", "Email", "--yes", "--since-last")
    assert (again.counts, find_puts(sandbox, after=before)) == ({"unchanged": 2}, [])
    assert not any(each.kind == "list" for each in sandbox.requests[before:]), "what was found is not searched again"
    live = run_program("check", sheet, "--key", "Email", "--live")
    assert (live.exit_code, live.told["problems"]) == (ExitCode.DONE, [])


def test_a_night_takes_the_key_from_a_setting(run_program, sandbox, tmp_path, emails):
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Nr"], [FIRST + 1, "7"]])
    (tmp_path / "folder" / "inbox").mkdir(parents=True)
    write_csv(tmp_path / "folder" / "inbox" / "a.csv", [["Nr", "Name"], ["7", "A"]])
    settings = {"nightly_key": "Nr", "nightly_lookup": lookup}
    answer = run_program("nightly", tmp_path / "folder", "--settle", 0, json=False, **settings)
    assert answer.exit_code == ExitCode.DONE
    assert find_puts(sandbox) == [str(FIRST + 1)]
