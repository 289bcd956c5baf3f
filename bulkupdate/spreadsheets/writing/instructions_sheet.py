"""Write the sheet Instructions: what to do with a workbook, and what each of its fields holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, Field
from bulkupdate.customers.value_types import INTEGER, RATING
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.xlsx_writer import Cell, StreamedRows, Styled

INSTRUCTIONS_SHEET = "Instructions"

BLANK_RULE = ("A blank cell", "leaves the field of that customer as it is.")
CLEAR_RULE = (CLEAR, "typed into a cell empties the field, if the table below says that it can be emptied.")

_WIDTHS = (30.0, 16.0, 72.0, 40.0, 22.0)
_HEADINGS = ("Field", "What it holds", "Meaning", "Example", "Can it be emptied?")


def format_instructions(
    sheet: Worksheet, title: str, rules: Sequence[tuple[str, str]], fields: Iterable[Field]
) -> StreamedRows:
    """Set up the sheet and return its rows: a title, rules (a subject and a sentence about it), and the fields."""
    styles.set_widths(sheet, _WIDTHS)
    styles.print_wide(sheet)
    sheet.sheet_view.showGridLines = False
    column_styles = [styles.register(sheet, styles.WRAPPED_TEXT)] * len(_WIDTHS)
    rows = list(_make_rows(sheet, title, rules, fields))
    return StreamedRows(rows, column_styles, wrapped={2: _WIDTHS[2], 3: _WIDTHS[3]})


def _make_rows(
    sheet: Worksheet, title: str, rules: Sequence[tuple[str, str]], fields: Iterable[Field]
) -> Iterator[Sequence[Cell]]:
    title_style, bold, plain, heading = (
        styles.register(sheet, style) for style in (styles.TITLE, styles.BOLD, styles.PLAIN, styles.OWN_HEADING)
    )
    yield [Styled(title, title_style)]
    yield ()
    for subject, rule in rules:
        yield [Styled(subject, bold), Styled(rule, plain)]
    yield ()
    yield [Styled(text, heading) for text in _HEADINGS]
    for field in fields:
        emptied = f"yes, with {CLEAR}" if field.is_clearable else "no"
        yield [Styled(_name(field), bold), _label_type(field), _describe_field(field), field.example, emptied]


def _name(field: Field) -> str:
    """Return the field's name; not the bare name of the key column, by which reading recognises a customer sheet."""
    return f"{field.name}: must be filled in" if field is CUSTOMER_ID else field.name


def _label_type(field: Field) -> str:
    return (INTEGER if field is CUSTOMER_ID else field.type).label


def _describe_field(field: Field) -> str:
    if field.type is RATING:
        return f"{field.help} The list: {', '.join(f'{code} {name}' for code, name in enumerate(RATING.choices))}."
    return field.help
