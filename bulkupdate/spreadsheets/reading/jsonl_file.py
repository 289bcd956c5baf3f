"""Read a JSON Lines file (.jsonl), one object a line, into a `Sheet`.

Rows have the numbers of their lines. A number is the text that the file has: 0.10 stays 0.10, and no digit is lost. A
null and a key that is missing are blank. What is not one object a line, in UTF-8, refuses the file: lines that a
program wrote are wrong for a reason that may concern others, too, such as a copy that was cut off.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.csv_records import MAX_LINE
from bulkupdate.spreadsheets.reading.frame_builder import MAX_COLUMNS, too_large_error
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from bulkupdate.spreadsheets.reading.typed_values import RefusedValue, make_typed_sheet, refuse_type, to_text
from bulkupdate.text import truncate


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, in their order."""


def read_jsonl_file(path: Path, options: ReadOptions) -> Sheet:
    """Read the file. Raises `InputFileError` if it is not a table of customers, or a line of it is not an object."""
    columns: dict[str, int] = {}
    for number, pairs in _read_objects(path):
        for key in [key for key, _ in pairs if key not in columns]:
            if to_text(key)[1] is not None:
                raise _line_error(path, number, "one of its keys holds half a character")
            columns.setdefault(key, len(columns))
        if len(columns) > MAX_COLUMNS:
            raise _line_error(path, number, f"with it, the file has more than {MAX_COLUMNS:,} different keys")
        if number > options.max_rows:
            raise too_large_error(options.max_rows, "rows, blank ones included", "BULKUPDATE_MAX_ROWS")
    return make_typed_sheet(path.name, tuple(columns), _fill_rows(path, columns), options)


def _fill_rows(path: Path, columns: dict[str, int]) -> Iterator[tuple[int, list[Any]]]:
    for number, pairs in _read_objects(path):
        values: list[Any] = [None] * len(columns)
        for key, value in pairs:
            values[columns[key]] = value
        if len(dict(pairs)) < len(pairs):
            for key in [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
                values[columns[key]] = _refuse_key(key, pairs)
        yield number, values


def _refuse_key(key: str, pairs: _Pairs) -> RefusedValue:
    message = f"the line has the key “{truncate(key, 40)}” more than once"
    return RefusedValue(
        " … ".join(to_text(value)[0] for name, value in pairs if name == key),
        Finding.error(ProblemCode.DUPLICATE_KEY, message),
    )


def _read_objects(path: Path) -> Iterator[tuple[int, _Pairs]]:
    """Yield the object of each line that is not blank, with the number of the line."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=_refuse_constant
    )
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE:
                raise _line_error(path, number, f"it has {MAX_LINE:,} bytes or more")
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip(" \t\r\n")
                value = _refuse_nested(decoder.decode(text), text) if text else None
            except UnicodeDecodeError as error:
                raise _line_error(path, number, "it is not UTF-8") from error
            except RecursionError as error:
                raise _line_error(path, number, "it is nested too deeply") from error
            except ValueError as error:
                raise _line_error(path, number, _describe_error(error)) from error
            if isinstance(value, _Pairs):
                yield number, value
            elif text:
                raise _line_error(path, number, "it is not an object, {…}")


def _refuse_nested(value: Any, line: str) -> Any:
    """Return an object with each nested value refused; anything else as it is."""
    if not isinstance(value, _Pairs) or not any(isinstance(member, list) for _, member in value):
        return value
    plain = json.loads(line, parse_float=str, parse_int=str)
    return _Pairs(
        (key, RefusedValue(to_text(plain[key])[0], refuse_type(plain[key])) if isinstance(member, list) else member)
        for key, member in value
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _describe_error(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (character {error.pos + 1})"
    return str(error)


def _line_error(path: Path, number: int, reason: str) -> InputFileError:
    return InputFileError(
        f"Line {number:,} of {path.name} is not one JSON object: {reason}.",
        remedy="Write the file again, with one customer, {…}, on each line, in UTF-8; it may have been cut off.",
    )
