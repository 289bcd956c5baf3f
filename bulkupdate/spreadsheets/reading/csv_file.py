"""Read a delimited text file (.csv, .tsv) into a `Sheet`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bulkupdate.customers.headings import HeaderRow, missing_key_error
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.spreadsheets.reading.csv_records import Record, read_records, separator_line
from bulkupdate.spreadsheets.reading.frame_builder import FrameBuilder, from_arrow, to_arrow, too_large_error
from bulkupdate.spreadsheets.reading.header_row import SEARCHED_ROWS, find_header_row
from bulkupdate.spreadsheets.reading.sheet import CellFinding, ReadOptions, Sheet, SheetTop, make_sheet
from bulkupdate.spreadsheets.reading.text_encoding import TextEncoding, detect_encoding
from bulkupdate.text import pluralize

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

SHIELD = r"^'('*[=+\-@\t\r])"
"""The apostrophe that our own CSV files add before text that a spreadsheet program would take for a formula."""

TEXT_FORMULA = r'^="([^"]*)"$'
"""How other programs preserve leading zeros in a CSV file: `="0171555010"`, which Excel shows as that text."""

_BROKEN_QUOTES = Finding.error(ProblemCode.BROKEN_QUOTES)


def read_csv_file(path: Path, options: ReadOptions) -> Sheet:
    """Read the file. Raises `InputFileError` if it is not a table of customers.

    One leading apostrophe before `= + - @`, tab or line break is removed, as our own CSV files add it.
    """
    encoding = detect_encoding(path, options.encoding)
    delimiter, header = _choose_delimiter(path, encoding.codec, options)
    rows = _Rows(header, options)
    for number, fields, is_broken in read_records(path, encoding.codec, delimiter):
        rows.take(number, fields, is_broken)
    frame, row_numbers = rows.builder.build()
    notes = [
        f"Read as {encoding.name}, columns separated by {DELIMITERS.get(delimiter, repr(delimiter))}.",
        *rows.notes(),
    ]
    formulas, unshielded = _unwrap(frame)
    if formulas:
        is_filled = frame.apply(lambda column: column.str.strip() != "").any(axis="columns").to_numpy()
        frame, row_numbers = frame[is_filled].reset_index(drop=True), row_numbers[is_filled]  # rows of `=""` are blank
        notes.append(f'{pluralize(formulas, "cell")} written as ="text": the text was read.')
    if unshielded:
        notes.append(f"{pluralize(unshielded, 'cell')} with an apostrophe before = + - or @: it was removed.")
    sheet = make_sheet(frame, row_numbers, header, rows.findings, notes, sheet_name=None)
    return sheet.add_warning(_doubt_encoding(encoding)) if encoding.samples else sheet


def _doubt_encoding(encoding: TextEncoding) -> Finding:
    """Return a warning for an encoding that is a guess, with the first texts as they were read."""
    samples = ", ".join(f"“{sample}”" for sample in encoding.samples)
    message = f"the file is not UTF-8; it was read as {encoding.name}, for example {samples}"
    remedy = "If these texts look wrong, name the encoding of the file, for example --encoding cp1250."
    return Finding.warning(ProblemCode.GUESSED_ENCODING, message, remedy)


class _Rows:
    """The rows below the headings, each cut or extended to the number of headings."""

    def __init__(self, header: HeaderRow, options: ReadOptions) -> None:
        self.builder = FrameBuilder(len(header.headings), options)
        self.findings: list[CellFinding] = []
        self._header = header
        self._width = len(header.headings)
        self._short_rows = 0
        self._max_rows = options.max_rows

    def take(self, number: int, fields: list[str], is_broken: bool) -> None:
        if number <= self._header.number:
            return
        if number - self._header.number > self._max_rows:  # blank rows count: reading millions of them takes minutes
            raise too_large_error(self._max_rows, "rows, blank ones included", "BULKUPDATE_MAX_ROWS")
        if is_broken:
            quoted = " … ".join(field for field in fields if '"' in field)[:200]
            self.findings.append(CellFinding(number, None, _BROKEN_QUOTES, quoted))
        if len(fields) > self._width:
            self._cut(number, fields, is_broken)
        elif len(fields) < self._width:
            self._short_rows += bool(fields)
            fields.extend([""] * (self._width - len(fields)))
        self.builder.add(number, fields)

    def notes(self) -> list[str]:
        count = self._short_rows
        if not count:
            return []
        verb = "has" if count == 1 else "have"
        return [f"{pluralize(count, 'row')} {verb} fewer fields than there are headings; the missing ones are blank."]

    def _cut(self, number: int, fields: list[str], is_broken: bool) -> None:
        extra = [field for field in fields[self._width :] if field.strip()]
        if extra and not is_broken:
            message = f"the row has {len(fields)} fields, but there are {self._width} headings"
            finding = Finding.error(ProblemCode.TOO_MANY_FIELDS, message)
            self.findings.append(CellFinding(number, None, finding, ", ".join(extra)[:200]))
        del fields[self._width :]


def _choose_delimiter(path: Path, encoding: str, options: ReadOptions) -> tuple[str, HeaderRow]:
    """Return the delimiter with which most headings are recognised, and their row.

    A line `sep=;` or the ending .tsv takes precedence.
    """
    heads = _read_heads(path, encoding)
    found = {delimiter: find_header_row(rows, options.heading_map) for delimiter, rows in heads.items()}
    with_key = {delimiter: row for delimiter, row in found.items() if row and row.key_column is not None}
    if with_key:
        return max(with_key.items(), key=lambda item: item[1].field_count)
    widest = max(heads.values(), key=lambda rows: max((len(cells) for _, cells in rows), default=0))
    first = next((cells for _, cells in widest if any(cell.strip() for cell in cells)), [])
    raise missing_key_error(path.name, first, options.heading_map, rows=SEARCHED_ROWS, key=options.key)


def read_text_tops(path: Path, encoding: str | None) -> list[SheetTop]:
    """Return the first rows as each delimiter separates them. `encoding` is that of the file, None to detect it.

    Raises `InputFileError` if the encoding is not certain.
    """
    return [SheetTop(None, rows) for rows in _read_heads(path, detect_encoding(path, encoding).codec).values()]


def _read_heads(path: Path, encoding: str) -> dict[str, list[tuple[int, list[str]]]]:
    named = separator_line(path, encoding) or ("\t" if path.suffix.lower() == ".tsv" else None)
    return {delimiter: _read_head(path, encoding, delimiter) for delimiter in ([named] if named else DELIMITERS)}


def _read_head(path: Path, encoding: str, delimiter: str) -> list[tuple[int, list[str]]]:
    head: Iterator[Record] = islice(read_records(path, encoding, delimiter), SEARCHED_ROWS)
    return [(number, _unwrap_cells(fields)) for number, fields, is_broken in head if not is_broken]


def _unwrap_cells(cells: list[str]) -> list[str]:
    if not any(cell.startswith(("'", "=")) for cell in cells):
        return cells
    unwrapped, _, _ = _unwrap_column(pa.array(cells, pa.large_string()))
    return unwrapped.to_pylist()  # type: ignore[no-any-return]


def _unwrap(frame: pd.DataFrame) -> tuple[int, int]:
    """Remove text formulas and shields from all cells of the frame, in place; return the number of each."""
    all_formulas = all_shields = 0
    for column in frame.columns:
        cells = to_arrow(frame[column])
        if not pc.any(pc.match_substring_regex(cells, "^['=]")).as_py():
            continue
        unwrapped, formulas, shields = _unwrap_column(cells)
        if formulas or shields:
            frame[column] = from_arrow(unwrapped)
            all_formulas += formulas
            all_shields += shields
    return all_formulas, all_shields


def _unwrap_column(cells: pa.Array) -> tuple[pa.Array, int, int]:
    """Return the cells without text formulas and shields, and how many had one; no cell loses both."""
    is_formula, is_shielded = (pc.match_substring_regex(cells, pattern) for pattern in (TEXT_FORMULA, SHIELD))
    unshielded = pc.replace_substring_regex(cells, SHIELD, r"\1")
    unwrapped = pc.if_else(is_formula, pc.replace_substring_regex(cells, TEXT_FORMULA, r"\1"), unshielded)
    return unwrapped, pc.sum(is_formula).as_py() or 0, pc.sum(is_shielded).as_py() or 0
