"""A pandas DataFrame is read as a sheet: typed values become texts, and its index the row numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.csv_records import MAX_FIELD
from bulkupdate.spreadsheets.reading.data_frame import hash_frame, read_frame
from bulkupdate.spreadsheets.reading.typed_values import to_text
from tests.spreadsheets.reading.making import codes, options, texts


def make_frame(index: Any = None, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"CustomerId": [163, 164], **columns}, index=index)


@pytest.mark.parametrize(
    ("value", "text", "code"),
    [
        (None, "", None), (float("nan"), "", None), (pd.NaT, "", None), (pd.NA, "", None), (" a ", " a ", None),
        (True, "Yes", None), (np.bool_(False), "No", None), (7, "7", None), (np.int64(7), "7", None),
        (Decimal("2.50"), "2.50", None), (Decimal("1E+3"), "1000", None), (Decimal("NaN"), "", None),
        (2.5, "2.5", None),
        (1e-7, "0.0000001", None), (5.0, "5", None), (999_999_999_999_999.0, "999999999999999", None),
        (1e15, "1000000000000000", "lost-digits"), (-1e15, "-1000000000000000", "lost-digits"),
        (np.float32(0.1), "0.1", None), (np.float32(999_999), "999999", None),
        (np.float32(1e6), "1000000", "lost-digits"),
        (np.float16(999), "999", None), (np.float16(1000), "1000", "lost-digits"), (float("inf"), "inf", "value-type"),
        (dt.date(2026, 1, 4), "2026-01-04", None), (dt.time(9, 5), "09:05:00", None),
        (pd.Timestamp(2026, 1, 4), "2026-01-04T00:00:00", None), ([1, "é"], '[1, "é"]', "value-type"),
        ({"a": 1}, '{"a": 1}', "value-type"), (b"x", "b'x'", "value-type"),
        (Decimal("Infinity"), "Infinity", "value-type"),
        ("\ud83d", "\ud83d", "broken-character"), (np.array([1, 2]), "[1 2]", "value-type"),
        (["x" * MAX_FIELD], '["' + "x" * (MAX_FIELD - 2), "value-type"),
    ],
    ids=range(34),
)  # fmt: skip
def test_a_value_becomes_a_text_or_a_problem(value: object, text: str, code: str | None) -> None:
    found, finding = to_text(value)
    assert (found, finding and str(finding.code)) == (text, code)


@pytest.mark.parametrize(
    ("value", "what"),
    [({}, "an object"), ([], "a list"), (b"", "binary data"), (dt.timedelta(1), "a Python timedelta")],
)
def test_a_value_that_cannot_be_sent_is_named(value: object, what: str) -> None:
    _, finding = to_text(value)
    assert finding is not None
    assert finding.message == f"the value is {what}, which is neither a text nor a number"


def test_a_text_of_a_million_characters_is_read_and_no_longer_one() -> None:
    assert to_text("x" * MAX_FIELD) == ("x" * MAX_FIELD, None)
    with pytest.raises(InputFileError, match="more than 1,000,000 characters"):
        to_text("x" * (MAX_FIELD + 1))


def test_whole_numbers_of_the_index_are_the_row_numbers_and_their_order() -> None:
    sheet = read_frame(make_frame([7, 0], Name=["Bob", "Ann"]), options())
    assert (texts(sheet), sheet.row_numbers.tolist()) == ([["164", "Ann"], ["163", "Bob"]], [0, 7])
    assert (sheet.headings, sheet.header.number, sheet.sheet_name) == (("CustomerId", "Name"), 0, None)
    assert read_frame(make_frame(["x", "a"]), options()).row_numbers.tolist() == [0, 1]
    assert read_frame(make_frame([5, 2**63 - 1]), options()).row_numbers.tolist() == [5, 2**63 - 1]


@pytest.mark.parametrize("index", [[1, 1], [-1, 0], np.array([1, 2**63], np.uint64)])
def test_an_index_that_cannot_number_rows_is_refused(index: Any) -> None:
    with pytest.raises(InputFileError, match="it cannot number the rows"):
        read_frame(make_frame(index), options())


def test_columns_keep_the_precision_of_their_type() -> None:
    frame = make_frame(
        Comments=pd.array([0.1, 0.2], "float32"), Phone1=pd.array([0.1, None], "Float32"),
        Name=pd.array([1, None], "Int64"),
        Fax=np.array([0.5, 0.1], np.float16), Mobile=[0.1, float("nan")],
    )  # fmt: skip
    sheet = read_frame(frame, options())
    assert texts(sheet) == [["163", "0.1", "0.1", "1", "0.5", "0.1"], ["164", "0.2", "", "", "0.1", ""]]
    assert codes(sheet) == []


def test_a_frame_without_a_column_of_ids_or_without_rows_is_refused() -> None:
    with pytest.raises(InputFileError, match=r"The DataFrame has no column CustomerId\. Found: 0\."):
        read_frame(pd.DataFrame({0: ["163"]}), options())
    with pytest.raises(InputFileError, match=r"^There are no rows\.$"):
        read_frame(pd.DataFrame({"CustomerId": []}), options())
    with pytest.raises(InputFileError, match="has no column CustomerId"):
        read_frame(pd.DataFrame(), options())


def test_a_frame_is_recognised_by_its_headings_row_numbers_and_texts() -> None:
    frame = make_frame(Name=["Ann", None])
    same = [make_frame(Name=["Ann", ""]), make_frame([0, 1], Name=["Ann", float("nan")])]
    other = [
        make_frame(Name=["Ann", "x"]), make_frame([0, 2], Name=["Ann", None]), make_frame(Names=["Ann", None]),
        frame[:1],
        frame[[]],
    ]  # fmt: skip
    assert {hash_frame(each) for each in same} == {hash_frame(frame)}
    assert hash_frame(frame) not in {hash_frame(each) for each in other}
    assert len({hash_frame(each) for each in other}) == len(other)
