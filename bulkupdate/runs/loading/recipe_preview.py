"""What a recipe makes of the first rows of a sheet, by the rules of the checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.column_mapping import assign_columns
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, Field
from bulkupdate.customers.headings import find_field, recognize_headings
from bulkupdate.customers.models import Severity
from bulkupdate.customers.plain_values import fold_value
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.customers.recipe import Recipe
from bulkupdate.customers.value_types import BOOLEAN, INTEGER, RATING
from bulkupdate.errors import InputFileError
from bulkupdate.runs.loading.sheet_layout import SheetLayout
from bulkupdate.runs.matching.key import find_key

_TRANSLATED = (BOOLEAN, INTEGER, RATING)
_MOST_VALUES = 50
TRANSLATED_CODES = (ProblemCode.YES_OR_NO, ProblemCode.WHOLE_NUMBER, ProblemCode.RATING)
"""The codes of cells that may hold a name or word which stands for a value."""


@dataclass(frozen=True)
class PreviewCell:
    """A cell as it stands in the sheet and as it would be sent; `problem` says why it would not, empty if nothing."""

    field: str
    before: str
    after: str
    problem: str = ""


def preview_rows(recipe: Recipe, layout: SheetLayout) -> Iterator[tuple[int, list[PreviewCell]]]:
    """Yield the number and the cells of each row of the layout, for the columns that mean a field."""
    fields = [find_field(heading, recipe.columns) if heading.strip() else None for heading in layout.headings]
    for number, cells in layout.rows:
        pairs = zip(fields, cells, strict=True)
        yield number, [_preview(recipe, field, text) for field, text in pairs if field is not None]


def _preview(recipe: Recipe, field: Field, text: str) -> PreviewCell:
    translated = _translate(recipe, field, text)
    parsed = parse_cell(field, translated, recipe.decimal_mark or ".")
    errors = [finding.message for finding in parsed.findings if finding.severity is Severity.ERROR]
    if field is CUSTOMER_ID and not translated.strip() and not recipe.key:
        errors = ["the customer id is missing"]
    after = "" if parsed.value is None else field.type.format(parsed.value)
    return PreviewCell(field.name, text, after, errors[0] if errors else "")


def _translate(recipe: Recipe, field: Field, text: str) -> str:
    table = {fold_value(each): value for each, value in recipe.values.get(field.name, {}).items()}
    return table.get(fold_value(text), text)


def list_doubtful(
    recipe: Recipe, layout: SheetLayout, refused: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str, str]]:
    """Return field, text and meaning of the values that stand for others, and of those that are not understood.

    The meaning is empty if it is not known. Only of fields whose values are names or words: yes or no, ratings, ids.
    `refused` are the heading and the text of cells below the rows of the layout.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for name, table in recipe.values.items():
        found.update({(name, fold_value(text)): (text, value) for text, value in table.items()})
    cells = [cell for _, cells in preview_rows(recipe, layout) for cell in cells]
    for heading, text in refused:
        if field := find_field(heading, recipe.columns):
            cells.append(_preview(recipe, field, text))
    for cell in cells:
        if cell.problem and cell.before.strip() and FIELD_BY_NAME[cell.field].type in _TRANSLATED:
            found.setdefault((cell.field, fold_value(cell.before)), (cell.before.strip(), ""))
    return [(name, text, meaning) for (name, _), (text, meaning) in found.items()][:_MOST_VALUES]


def require_usable(recipe: Recipe, layout: SheetLayout) -> None:
    """Raise `InputFileError` if a sheet with these headings could not be read by the recipe."""
    header = recognize_headings(layout.headings, recipe.columns, number=layout.number)
    if not recipe.key:
        assign_columns(header, ignore_unknown=False)
        return
    key = find_key(recipe.key, recipe.columns)
    key.find_column(header, "The sheet")
    sent = [field for field in header.fields if field not in (None, CUSTOMER_ID, key.field)]
    if not sent:
        raise InputFileError("The sheet has no column to update, only the key.", remedy="Choose a field for a column.")
    if len(set(sent)) < len(sent):
        twice = next(field.name for field in sent if field is not None and sent.count(field) > 1)
        raise InputFileError(f"Two columns mean {twice}.", remedy="Ignore one of them.")
