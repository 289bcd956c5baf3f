"""JSON Lines: every value as the text that the file has, and a line that is not an object refuses the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from tests.spreadsheets.reading.making import codes, read, texts, value_of, write_text


def test_values_keep_their_text_and_rows_the_numbers_of_their_lines(tmp_path: Path) -> None:
    lines = (
        '\ufeff{"CustomerId": 163, "Comments": 0.10}\r\n'
        "\r\n"
        '{"CustomerId": 12345678901234567890123, "IsWholesale": true, "Phone1": 1e5, "Comments": null}\r\n'
        '{"Comments": "\\u00e9 \u2028 \\ud83d\\ude00", "CustomerId": "007", "IsWholesale": false}'
    )
    sheet = read(write_text(tmp_path, lines, name="a.jsonl"))
    assert sheet.headings == ("CustomerId", "Comments", "IsWholesale", "Phone1")
    assert texts(sheet) == [
        ["163", "0.10", "", ""],
        ["12345678901234567890123", "", "Yes", "1e5"],
        ["007", "é \u2028 😀", "No", ""],
    ]
    assert (sheet.row_numbers.tolist(), codes(sheet)) == ([1, 3, 4], [])


def test_a_nested_value_and_a_key_given_twice_refuse_the_row_if_the_column_is_sent(tmp_path: Path) -> None:
    lines = (
        '{"CustomerId": 163, "Comments": {"a": [1.50]}, "Other": []}\n'
        '{"CustomerId": 164, "Comments": "1", "Comments": "2"}\n'
        '{"CustomerId": 165, "Other": 1, "Other": 2}\n'
        '{"CustomerId": 166, "Comments": "\\ud83d"}'
    )
    sheet = read(write_text(tmp_path, lines, name="a.jsonl"))
    found = [(problem.row, str(problem.code), problem.value) for problem in sheet.problems]
    assert found == [
        (1, "value-type", '{"a": ["1.50"]}'), (2, "duplicate-key", "1 … 2"), (4, "broken-character", "?")
    ]  # fmt: skip
    assert value_of(sheet, "Other", 2) == "1 … 2"


GOOD = b'{"CustomerId": 163}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD + b'{"CustomerId": 164, "Na', "Line 2 of a.jsonl is not one JSON object: Unterminated string"),
        (GOOD + b"[1]", "Line 2 of a.jsonl is not one JSON object: it is not an object"),
        (GOOD + b"null", "it is not an object"),
        (GOOD + b'{"CustomerId": NaN}', "NaN is not a JSON number"),
        (GOOD + b'{"Name": "\xe9"}', "it is not UTF-8"),
        (GOOD.decode().encode("utf-16"), "is not what its name says"),
        (GOOD.replace(b"\n", b"\r") * 2, "Line 1 of a.jsonl is not one JSON object: Extra data"),
        (b'{"CustomerId": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is nested too deeply"),
        (b'{"CustomerId": "' + b"x" * 20_000_000, "it has 20,000,000 bytes or more"),
        (b'{"CustomerId": "' + b"x" * 2_000_000 + b'"}', "more than 1,000,000 characters"),
        (GOOD + b'{"\\ud800": 1}', "one of its keys holds half a character"),
        (json.dumps({"CustomerId": 1, **dict.fromkeys(map(str, range(1_000)))}).encode(), "different keys"),
        (b"[" + GOOD + b"]", "is not what its name says"),
        (b"CustomerId\n163\n", "is not what its name says"),
        (b'{"Id": 1}', "has no column CustomerId. Found: Id."),
        (b"\n\n", "has no column CustomerId"),
        (b'{"CustomerId": null}', "There are no rows."),
        (GOOD * 3, "more than 2 rows"),
        (GOOD + b"\n" + GOOD, "more than 2 rows, blank ones included"),
    ],
    ids=range(19),
)
def test_a_file_that_is_not_an_object_a_line_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        read(write_text(tmp_path, content, name="a.jsonl"), max_rows=2)
