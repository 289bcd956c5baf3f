"""Help in the cells of a sheet to fill in: comments on headings, drop-downs, prompts, and duplicate ids in red."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, Field
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.own_files import CREATOR
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS

LONGEST_PROMPT = 255
"""Characters that Excel shows when a cell is selected."""

FieldColumns = Mapping[int, Field]
"""The fields of a sheet by the number of their column, from 1."""


def add_heading_comments(sheet: Worksheet, fields: FieldColumns) -> None:
    """Explain each field in a comment on its heading."""
    for column, field in fields.items():
        sheet.cell(1, column).comment = Comment(_explain_field(field), CREATOR, width=320, height=130)


def add_drop_downs(sheet: Worksheet, fields: FieldColumns) -> None:
    """Offer the choices of a field, if it has any, in all cells of its column."""
    for column, field in fields.items():
        if field.type.choices:
            sheet.add_data_validation(_make_validation(field, column))


def add_prompts(sheet: Worksheet, fields: FieldColumns) -> None:
    """Explain each field when a cell of its column is selected; offer its choices, if it has any."""
    for column, field in fields.items():
        validation = _make_validation(field, column)
        validation.showInputMessage = True
        validation.promptTitle = field.name
        validation.prompt = _explain_field(field)[:LONGEST_PROMPT]
        sheet.add_data_validation(validation)


def mark_duplicate_ids(sheet: Worksheet, fields: FieldColumns) -> None:
    """Show duplicate ids in red as soon as they are typed."""
    fill, color = styles.RED
    style = DifferentialStyle(fill=PatternFill(bgColor=fill), font=Font(color=color))
    for column, field in fields.items():
        if field is CUSTOMER_ID:
            sheet.conditional_formatting.add(_name_cells(column), Rule("duplicateValues", dxf=style))


def _explain_field(field: Field) -> str:
    lines = [field.help, f"Example: {field.example}"]
    if field.type.choices:
        lines.append(f"One of: {', '.join(field.type.choices)}.")
    if field is CUSTOMER_ID:
        lines.append("Must be filled in.")
    else:
        lines.append(f"Blank: no change.{f' {CLEAR}: empties it.' if field.is_clearable else ''}")
    return "\n".join(lines)


def _make_validation(field: Field, column: int) -> DataValidation:
    """Return a rule for the whole column. It only warns: other spellings of a choice are accepted too."""
    if not field.type.choices:
        return DataValidation(allow_blank=True, sqref=_name_cells(column))
    return DataValidation(
        type="list",
        formula1=f'"{",".join(field.type.choices)}"',
        allow_blank=True,
        sqref=_name_cells(column),
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=field.name,
        error=f"The list has: {', '.join(field.type.choices)}.",
    )


def _name_cells(column: int) -> str:
    letter = get_column_letter(column)
    return f"{letter}2:{letter}{EXCEL_ROWS}"
