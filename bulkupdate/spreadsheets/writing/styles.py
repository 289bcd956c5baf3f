"""How our workbooks look: colours, headings, and the sheet that is a table under a frozen heading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

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
"""Excel's number format for text: what is typed stays as typed, `007` and `+49 30 1234` too."""

DARK = "FF1F3A5F"
PALE = "FFDCE6F1"
GREY = "FF5F6B7A"
RED = ("FFFFC7CE", "FF9C0006")
AMBER = ("FFFFEB9C", "FF7F6000")
GREEN = ("FFC6EFCE", "FF006100")
PLAIN_GREY = ("FFE7E6E6", "FF404040")
"""Fill and font of a marked cell: Excel's own pairs for bad, doubtful and good. The word in the cell says the same."""

_COLUMNS_ON_A_PAGE = 10


@dataclass(frozen=True)
class CellStyle:
    """A cell's look. `fill` and `color` are ARGB, None: Excel's default."""

    fill: str | None = None
    color: str | None = None
    bold: bool = False
    size: int = 11
    wrapped: bool = False
    is_text: bool = False
    underlined: bool = False
    is_left: bool = False


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


def apply(look: CellStyle, cell: object) -> None:
    """Give a cell of openpyxl this look."""
    styled: dict[str, object] = {"font": Font(name="Calibri", bold=look.bold, size=look.size, color=look.color)}
    if look.fill:
        styled["fill"] = PatternFill("solid", fgColor=look.fill)
    if look.underlined:
        styled["border"] = Border(bottom=Side("thin", color=DARK))
    styled["alignment"] = Alignment("left" if look.is_left else None, "top", wrap_text=look.wrapped)
    if look.is_text:
        styled["number_format"] = TEXT_FORMAT
    for name, value in styled.items():
        setattr(cell, name, copy(value))


def register(sheet: Worksheet, look: CellStyle) -> int:
    """The number of this look in the workbook's list of styles, for cells that are streamed."""
    cell = WriteOnlyCell(sheet)
    apply(look, cell)
    return int(cell.style_id)


def set_widths(sheet: Worksheet, widths: Sequence[float], look: CellStyle = PLAIN) -> None:
    """Set column widths in characters, and the look of cells that nobody has filled in yet."""
    for place, width in enumerate(widths, start=1):
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width = width
        if look is not PLAIN:
            apply(look, column)


def make_table(sheet: Worksheet, width: int) -> None:
    """Freeze the heading row, give it filter buttons, and print it on every page."""
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(width)}{EXCEL_ROWS}"
    print_wide(sheet, pages_across=1 if width <= _COLUMNS_ON_A_PAGE else 0)
    sheet.print_title_rows = "1:1"


def print_wide(sheet: Worksheet, pages_across: int = 1) -> None:
    """Print landscape, on so many pages beside each other; 0: as many as it takes."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.page_setup.fitToWidth = pages_across
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=pages_across > 0)


def add_status_colours(sheet: Worksheet, column: int, first_row: int, colours: Mapping[str, tuple[str, str]]) -> None:
    """Colour the cells of a column by the word in them, also when a person changes the word later."""
    letter = get_column_letter(column)
    for word, (fill, color) in colours.items():
        look = DifferentialStyle(fill=PatternFill(bgColor=fill), font=Font(color=color))
        rule = Rule("cellIs", operator="equal", formula=[f'"{word}"'], dxf=look)
        sheet.conditional_formatting.add(f"{letter}{first_row}:{letter}{EXCEL_ROWS}", rule)


def new_book(*titles: str) -> Workbook:
    """An empty workbook with these sheets."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title in titles:
        book.create_sheet(title)
    return book


def guess_widths(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[float]:
    """Column widths in characters that suit the headings and these rows, within sensible bounds."""
    longest = [len(heading) + 3 for heading in headings]
    for row in rows:
        longest = [max(known, len(text) + 2) for known, text in zip(longest, row, strict=False)]
    return [float(min(max(each, 9), 42)) for each in longest]
