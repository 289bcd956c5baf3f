from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CLEAR, FIELD_BY_NAME, FIELDS
from bulkupdate.customers.value_types import RATINGS
from bulkupdate.spreadsheets.writing import field_help
from bulkupdate.spreadsheets.writing.field_help import LONGEST_PROMPT, FieldColumns

COLUMNS = dict(enumerate(FIELDS, start=1))


def make_sheet(tmp_path: Path, *add: Callable[[Worksheet, FieldColumns], None]) -> Worksheet:
    book = openpyxl.Workbook()
    for function in add:
        function(book.active, COLUMNS)
    book.save(tmp_path / "a.xlsx")
    return openpyxl.load_workbook(tmp_path / "a.xlsx").active


def find_validations(sheet: Worksheet) -> dict[str, DataValidation]:
    """By the name of the field whose column it is for, from row 2 to the last one."""
    by_cells = {str(each.sqref): each for each in sheet.data_validations.dataValidation}
    names = {sheet.cell(1, column).column_letter: field.name for column, field in COLUMNS.items()}
    return {names[cells.partition("2:")[0]]: each for cells, each in by_cells.items() if cells.endswith("1048576")}


def test_each_heading_has_a_comment_with_help_and_example(tmp_path: Path) -> None:
    sheet = make_sheet(tmp_path, field_help.add_heading_comments)
    for field, cell in zip(FIELDS, sheet[1], strict=True):
        assert field.help in cell.comment.text
        assert f"Example: {field.example}" in cell.comment.text
        assert (CLEAR in cell.comment.text) == field.is_clearable


@pytest.mark.parametrize("add", [field_help.add_drop_downs, field_help.add_prompts])
def test_rating_and_wholesale_have_drop_downs_in_the_users_spelling(
    tmp_path: Path, add: Callable[[Worksheet, FieldColumns], None]
) -> None:
    offered = find_validations(make_sheet(tmp_path, add))
    lists = {name: each for name, each in offered.items() if each.type == "list"}
    assert lists.keys() == {"Rating", "IsWholesale"}
    assert "Very dissatisfied" in lists["Rating"].formula1
    assert lists["IsWholesale"].formula1 == '"Yes,No"'
    assert {each.errorStyle for each in lists.values()} == {"warning"}, "a rating's code is understood too"


def test_everything_that_a_drop_down_offers_is_accepted() -> None:
    rating = FIELD_BY_NAME["Rating"]
    assert [parse_cell(rating, choice).value for choice in rating.type.choices] == list(range(len(RATINGS)))
    assert [parse_cell(FIELD_BY_NAME["IsWholesale"], choice).value for choice in ("Yes", "No")] == [True, False]


def test_selecting_a_cell_explains_its_field_in_full(tmp_path: Path) -> None:
    prompts = find_validations(make_sheet(tmp_path, field_help.add_prompts))
    assert prompts.keys() == {field.name for field in FIELDS}
    for field in FIELDS:
        assert prompts[field.name].showInputMessage
        assert prompts[field.name].promptTitle == field.name
        assert prompts[field.name].prompt.startswith(field.help)
        assert prompts[field.name].prompt.endswith(("Must be filled in.", "no change.", "empties it."))
        assert len(prompts[field.name].prompt) <= LONGEST_PROMPT


def test_an_id_in_two_rows_is_shown_at_once(tmp_path: Path) -> None:
    sheet = make_sheet(tmp_path, field_help.mark_duplicate_ids)
    [formatting] = sheet.conditional_formatting
    assert (str(formatting.sqref), [rule.type for rule in formatting.rules]) == ("A2:A1048576", ["duplicateValues"])
