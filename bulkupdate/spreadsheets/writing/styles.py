"""The styles of our workbooks: colours, headings, and tables under a frozen heading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

from openpyxl import Workbook
from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS

TEXT_FORMAT = "@"
"""Excel's number format for text, which keeps `007` and `+49 30 1234` as typed."""

DARK = "FF1F3A5F"
PALE = "FFDCE6F1"
GREY = "FF5F6B7A"
RED = ("FFFFC7CE", "FF9C0006")
AMBER = ("FFFFEB9C", "FF7F6000")
GREEN = ("FFC6EFCE", "FF006100")
PLAIN_GREY = ("FFE7E6E6", "FF404040")
"""Fill and font of a marked cell, whose text says the same: Excel's own pairs for bad, neutral and good."""

_CHARACTERS_ON_A_PAGE = 210.0
"""The width that is still readable on a landscape page, in characters."""


@dataclass(frozen=True)
class CellStyle:
    """A cell's style. `fill` and `color` are ARGB, None for Excel's default."""

    fill: str | None = None
    color: str | None = None
    bold: bool = False
    size: int = 11
    wrapped: bool = False
    is_text: bool = False
    underlined: bool = False
    is_left: bool = False
    is_link: bool = False


OWN_HEADING = CellStyle(fill=DARK, color="FFFFFFFF", bold=True)
INPUT_HEADING = CellStyle(fill=PALE, color="FF000000", bold=True, is_text=True)
TITLE = CellStyle(bold=True, size=16, color=DARK)
SECTION = CellStyle(bold=True, color=DARK, underlined=True)
LABEL = CellStyle()
SUMMARY_VALUE = CellStyle(is_left=True, wrapped=True)
REMARK = CellStyle(color=GREY, wrapped=True)
PLAIN = CellStyle()
NUMBER = CellStyle(is_left=True)
INPUT_TEXT = CellStyle(is_text=True)
BOLD = CellStyle(bold=True)
WRAPPED_TEXT = CellStyle(is_text=True, wrapped=True)
BAD_CELL = CellStyle(*RED, is_text=True)
LINK = CellStyle(color="FF0563C1", is_left=True, wrapped=True, is_link=True)


def apply(style: CellStyle, cell: object) -> None:
    """Give a cell of openpyxl this style."""
    for name, value in _list_parts(style):
        setattr(cell, name, value)


@cache
def _list_parts(style: CellStyle) -> tuple[tuple[str, object], ...]:
    """Return the attributes of a cell with this style; made once, as making them takes longer than setting them."""
    font = Font(
        name="Calibri", bold=style.bold, size=style.size, color=style.color,
        underline="single" if style.is_link else None,
    )  # fmt: skip
    parts: dict[str, object] = {"font": font}
    if style.fill:
        parts["fill"] = PatternFill("solid", fgColor=style.fill)
    if style.underlined:
        parts["border"] = Border(bottom=Side("thin", color=DARK))
    parts["alignment"] = Alignment("left" if style.is_left else None, "top", wrap_text=style.wrapped)
    if style.is_text:
        parts["number_format"] = TEXT_FORMAT
    return tuple(parts.items())


def register(sheet: Worksheet, style: CellStyle) -> int:
    """Return the number of this style in the workbook's list, for cells that are streamed."""
    cell = WriteOnlyCell(sheet)
    apply(style, cell)
    return int(cell.style_id)


def set_widths(sheet: Worksheet, widths: Sequence[float], style: CellStyle = PLAIN) -> None:
    """Set column widths in characters, and the style of cells that are not filled in yet."""
    for index, width in enumerate(widths, start=1):
        column = sheet.column_dimensions[get_column_letter(index)]
        column.width = width
        if style is not PLAIN:
            apply(style, column)


def make_table(sheet: Worksheet, widths: Sequence[float], frozen: int) -> None:
    """Set up a table: column widths in characters, a frozen heading row with filter buttons, printing page by page.

    The first `frozen` columns are frozen too, and printed on every page.
    """
    set_widths(sheet, widths, INPUT_TEXT)
    sheet.freeze_panes = f"{get_column_letter(frozen + 1)}2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(widths))}{EXCEL_ROWS}"
    repeated = sum(widths[:frozen])
    print_wide(sheet, max(1, ceil((sum(widths) - repeated) / (_CHARACTERS_ON_A_PAGE - repeated))))
    sheet.print_title_rows = "1:1"
    if frozen:
        sheet.print_title_cols = f"A:{get_column_letter(frozen)}"


def print_wide(sheet: Worksheet, pages_across: int = 1) -> None:
    """Print landscape, scaled to this number of pages side by side, with the sheet's name and page numbers below."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.page_setup.fitToWidth = pages_across
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    footer = sheet.oddFooter
    assert footer is not None, "openpyxl gives every worksheet one"
    footer.left.text = "&A"
    footer.right.text = "&P / &N"


def add_status_colours(sheet: Worksheet, column: int, first_row: int, colours: Mapping[str, tuple[str, str]]) -> None:
    """Colour the cells of a column by the word in them, even if a user changes it later."""
    letter = get_column_letter(column)
    for word, (fill, color) in colours.items():
        style = DifferentialStyle(fill=PatternFill(bgColor=fill), font=Font(color=color))
        rule = Rule("cellIs", operator="equal", formula=[f'"{word}"'], dxf=style)
        sheet.conditional_formatting.add(f"{letter}{first_row}:{letter}{EXCEL_ROWS}", rule)


def new_book(*titles: str) -> Workbook:
    """Return an empty workbook with these sheets."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title in titles:
        book.create_sheet(title)
    return book


def guess_widths(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[float]:
    """Return column widths in characters that suit the headings and these rows, within sensible bounds."""
    longest = [len(heading) + 3 for heading in headings]
    for row in rows:
        longest = [max(known, len(text) + 2) for known, text in zip(longest, row, strict=False)]
    return [float(min(max(characters, 9), 42)) for characters in longest]
