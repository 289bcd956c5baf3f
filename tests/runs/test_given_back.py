"""A results or to-fix file given back unchanged sends nothing that was refused before, whatever refused it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest

import bulkupdate
from bulkupdate.customers.problem_codes import ProblemCode
from tests.conftest import FIRST, find_puts, read_results

HEADINGS = (
    "CustomerId", "Name", "Email", "BusinessName", "BusinessAliases", "SourceId", "IsWholesale", "CompanyId",
    "AccountManager1Commission", "Comments", "Rating", "Phone1",
)  # fmt: skip


class Typed(NamedTuple):
    """A cell with a number format."""

    value: object
    number_format: str


class Sample(NamedTuple):
    """A refused cell: its column, what stands there, and the text that corrects it."""

    heading: str
    value: object
    corrected: str


SHORT = "cut … [shortened: 40,000 characters]"
OF_VALUES = {
    "aliases": Sample("BusinessAliases", ";;", "A; B"),
    "clear-refused": Sample("Rating", "<clear>", "Neutral"),
    "clear-and-more": Sample("Comments", "a <clear>", "a"),
    "customer-id": Sample("CustomerId", "abc", ""),
    "decimal": Sample("AccountManager1Commission", "much", "1.5"),
    "decimal-mark": Sample("AccountManager1Commission", "1,5", "1.5"),
    "email": Sample("Email", "anna", "anna@example.com"),
    "error-cell": Sample("Comments", "#N/A", "none"),
    "negative": Sample("CompanyId", "-5", "5"),
    "no-customer-id": Sample("CustomerId", "", ""),
    "not-corrected": Sample("Name", "Anna [bulkupdate: was wrong]", "Anna"),
    "percent": Sample("AccountManager1Commission", "5%", "5"),
    "rating": Sample("Rating", "superb", "Satisfied"),
    "scientific": Sample("Phone1", "5.55E+09", "5550001234"),
    "shortened": Sample("Comments", SHORT, "whole"),
    "thousands-separator": Sample("CompanyId", "1,234", "1234"),
    "whole-number": Sample("CompanyId", "many", "3"),
    "wholesale-needs-business-name": Sample("IsWholesale", "Yes", "No"),
    "yes-or-no": Sample("IsWholesale", "perhaps", "No"),
}
"""Refused by what the text says, in every kind of file."""

OF_CELLS = {
    "control-character": Sample("Name", "An_x0000_na", "Anna"),
    "date": Sample("Comments", Typed(46000, "[$-F800]dddd, mmmm dd, yyyy"), "2025-12-09"),
    "formula-not-calculated": Sample("Name", "=VLOOKUP(A2,X!A:B,2,0)", "Anna"),
    "lost-digits": Sample("SourceId", 1234567890123460000, "1234567890123456789"),
    "merged": Sample("Comments", None, "call"),
    "number-format": Sample("Comments", Typed(0.5, "# ?/?"), "1/2"),
    "rounded-display": Sample("AccountManager1Commission", Typed(1.255, "0.00"), "1.26"),
    "rounded-display, hidden": Sample("AccountManager1Commission", Typed(5, ";;;"), "5"),
    "lost-digits of the id": Sample("CustomerId", 1234567890123456, ""),
}
"""Refused by what the cell of a workbook is, though its text would pass."""

OF_LINES = {"too-many-fields": "{id},Smith, John,call him", "broken-quotes": '{id},"Best" Shop,x'}
"""Refused by how the line of a CSV file is made."""

OF_OBJECTS = {
    "value-type": '{"CustomerId": %d, "Comments": {"a": 1}}',
    "duplicate-key": '{"CustomerId": %d, "Comments": "a", "Comments": "b"}',
    "broken-character": r'{"CustomerId": %d, "Comments": "half \ud83d"}',
}
"""Refused by what the line of a JSON Lines file holds."""

REFUSED_ELSEWHERE = {
    "no-match": "by a search for its key: tests/cli/commands/test_match.py gives it back",
    "ambiguous-match": "as no-match",
    "duplicate-match": "as no-match",
    "key-conflict": "as no-match",
    "unknown-customer": "by `check --live`, which sends nothing; a run sends the row, and the service refuses it",
}
"""Codes that refuse a row, but not one of a sheet here."""

ONLY_WARNINGS = {
    "phone", "leading-zeros", "only-blanks", "trimmed", "unseen-character", "lost-character", "long-text",
    "open-file", "guessed-encoding", "rejected-before",
}  # fmt: skip
"""Codes that refuse no row."""

OF_A_COMMAND = {
    "refused-file", "usage", "busy", "sign-in-refused", "service-down", "unreadable-list", "throttled-too-long",
    "journal", "lost-connection", "window-closed", "stopped", "interrupted-run", "overtaken-run",
    "results-not-written", "bug", "canary",
}  # fmt: skip
"""Codes that end a command; a row that was not sent then is not attempted."""


def test_every_code_is_given_back_here_or_refuses_no_row_of_a_sheet() -> None:
    given_back = {re.split("[, ]", name)[0] for name in (*OF_VALUES, *OF_CELLS, *OF_LINES, *OF_OBJECTS)} | {"duplicate"}
    groups = [given_back, set(REFUSED_ELSEWHERE), ONLY_WARNINGS, OF_A_COMMAND]
    assert sorted(code for group in groups for code in group) == sorted(ProblemCode)
    assert find_created_errors() == given_back | set(REFUSED_ELSEWHERE)


def find_created_errors() -> set[str]:
    """Return the codes of all findings of the source that refuse a row."""
    paths = Path(bulkupdate.__file__).parent.glob("**/*.py")
    created = re.compile(r"(?:error_result|Finding\.error|Finding)\(\s*ProblemCode\.(\w+)")
    return {ProblemCode[name].value for path in paths for name in created.findall(path.read_text(encoding="utf-8"))}


class Sheet:
    """A file with the samples, a customer each, and two duplicates."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = [{"CustomerId": FIRST, "Name": "good"}]
        self.corrections: list[dict[str, str]] = []

    def add(self, sample: Sample, place: int) -> None:
        key = str(FIRST + 10 + place)
        self.rows.append({"CustomerId": key, "Name": f"new {place}", sample.heading: sample.value})
        self.corrections.append({"CustomerId": key, **({sample.heading: sample.corrected} if sample.corrected else {})})

    def add_duplicates(self, key: object, corrected: int) -> None:
        self.rows += [{"CustomerId": key, "Phone1": "1"}, {"CustomerId": str(key), "Phone1": "2"}]
        self.corrections += [{"CustomerId": str(corrected)}, {"CustomerId": str(corrected + 1)}]


def make_sheet() -> Sheet:
    sheet = Sheet()
    for place, sample in enumerate((*OF_VALUES.values(), *OF_CELLS.values())):
        sheet.add(sample, place)
    sheet.add_duplicates(FIRST + 100, FIRST + 100)
    sheet.add_duplicates(1234567890123460, FIRST + 102)  # the first loses its digits, the second is text
    return sheet


def write_workbook(path: Path, sheet: Sheet) -> None:
    book = openpyxl.Workbook()
    page: Any = book.active
    page.append(HEADINGS)
    merged = HEADINGS.index("Comments") + 1
    for number, row in enumerate(sheet.rows, start=2):
        for heading, value in row.items():
            cell = page.cell(number, HEADINGS.index(heading) + 1)
            cell.value = value.value if isinstance(value, Typed) else value
            if isinstance(value, Typed):
                cell.number_format = value.number_format
            if heading == "Comments" and value is None:
                page.cell(number, merged - 1, 0.5)
                page.merge_cells(start_row=number, end_row=number, start_column=merged - 1, end_column=merged)
    book.save(path)


def cancel_permit(run_program: Any, sandbox: Any, path: Path) -> Any:
    """Run a file with --skip-invalid; what was told, and how many updates were sent."""
    before = len(find_puts(sandbox))
    told = run_program(
        "run",
        path,
        "--yes",
        "--skip-invalid",
        "-o",
        path.with_name(f"{path.stem}-2.csv"),
        wholesale_needs_business_name="true",
    )
    assert told.told, told.err
    return told, len(find_puts(sandbox)) - before


@pytest.mark.long
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_what_a_workbook_is_refused_for_stays_refused_until_it_is_corrected(
    run_program: Any, sandbox: Any, tmp_path: Path, ending: str
) -> None:
    sheet = make_sheet()
    write_workbook(tmp_path / "in.xlsx", sheet)
    results, to_fix = tmp_path / f"r.{ending}", tmp_path / "r-to-fix.xlsx"
    first = run_program(
        "run", tmp_path / "in.xlsx", "--yes", "--skip-invalid", "-o", results, wholesale_needs_business_name="true"
    )
    refused = len(sheet.corrections)
    assert first.counts == {"updated": 1, "invalid": refused}, first.err
    told_codes = {each["code"] for each in first.told["problems"] if each["severity"] == "error"}
    assert told_codes >= {code.partition(",")[0].partition(" ")[0] for code in (*OF_VALUES, *OF_CELLS)}
    again, puts = cancel_permit(run_program, sandbox, to_fix)
    assert (again.counts, puts) == ({"invalid": refused}, 0)
    again, puts = cancel_permit(run_program, sandbox, results)
    assert (again.counts, puts) == ({"invalid": refused, "updated": 1}, 1)
    again, puts = cancel_permit(run_program, sandbox, tmp_path / "r-2-to-fix.xlsx")
    assert (again.counts, puts) == ({"invalid": refused}, 0)
    correct(to_fix, sheet.corrections)
    again, puts = cancel_permit(run_program, sandbox, to_fix)
    assert (again.counts, puts) == ({"updated": refused}, refused), again.told["problems"]


def correct(path: Path, corrections: list[dict[str, str]]) -> None:
    book = openpyxl.load_workbook(path)
    page: Any = book.active
    places = {cell.value: cell.column for cell in page[1]}
    for number, row in enumerate(corrections, start=2):
        for heading, text in row.items():
            page.cell(number, places[heading]).value = text
    book.save(path)


@pytest.mark.long
def test_a_broken_line_of_a_csv_stays_refused_until_its_cells_are_replaced(
    run_program: Any, sandbox: Any, tmp_path: Path
) -> None:
    lines = [line.format(id=FIRST + place) for place, line in enumerate(OF_LINES.values())]
    twin = f"{FIRST},Twin,of the first"
    (tmp_path / "in.csv").write_text("\n".join(["CustomerId,Name,Comments", *lines[:1], twin, *lines[1:]]) + "\n")
    first = run_program("run", tmp_path / "in.csv", "--yes", "--skip-invalid", "-o", tmp_path / "r.csv")
    assert first.counts == {"invalid": 3}
    assert set(OF_LINES) < {each["code"] for each in first.told["problems"]}
    for name in ("r.csv", "r-to-fix.xlsx"):
        again, puts = cancel_permit(run_program, sandbox, tmp_path / name)
        assert (again.counts, puts) == ({"invalid": 3}, 0)
    assert "call him" in read_results(tmp_path / "r.csv")[0]["Message"]
    correct(
        tmp_path / "r-to-fix.xlsx",
        [{"CustomerId": str(FIRST + at), "Name": "a", "Comments": "b"} for at in range(3)],
    )
    again, puts = cancel_permit(run_program, sandbox, tmp_path / "r-to-fix.xlsx")
    assert (again.counts, puts) == ({"updated": 3}, 3)


def test_a_value_of_another_type_stays_refused_until_it_is_corrected(
    run_program: Any, sandbox: Any, tmp_path: Path
) -> None:
    lines = [line % (FIRST + place) for place, line in enumerate(OF_OBJECTS.values())]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    first = run_program("run", tmp_path / "in.jsonl", "--yes", "--skip-invalid", "-o", tmp_path / "r.xlsx")
    assert first.counts == {"invalid": 3}
    assert [(each["row"], each["code"]) for each in first.told["problems"]] == list(enumerate(OF_OBJECTS, start=1))
    again, puts = cancel_permit(run_program, sandbox, tmp_path / "r-to-fix.xlsx")
    assert (again.counts, puts) == ({"invalid": 3}, 0)


def test_a_number_that_only_another_decimal_mark_refuses_stays_refused_without_it(
    run_program: Any, sandbox: Any, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(f"CustomerId;AccountManager1Commission\n{FIRST};1.234\n")
    first = run_program("run", "in.csv", "--yes", "--skip-invalid", "--decimal", ",", "-o", tmp_path / "r.csv")
    assert first.counts == {"invalid": 1}
    again, puts = cancel_permit(run_program, sandbox, tmp_path / "r-to-fix.xlsx")
    assert (again.counts, puts) == ({"invalid": 1}, 0)
