"""What becomes of the values, headings and index of a DataFrame, and of dictionaries."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bulkupdate
from bulkupdate.customers.recipe import Recipe
from bulkupdate.errors import InputFileError
from bulkupdate.runs.loading.recipe_folder import save_recipe
from tests.python_api.frames import make_frame


def test_values_that_are_not_texts_follow_the_rules() -> None:
    frame = pd.DataFrame(
        {
            "CustomerId": [163.0, np.int64(164), "165", 166.0],
            "Phone1": ["0049 30", None, np.nan, pd.NaT],
            "AccountManager1Commission": [2.5, Decimal("2.50"), np.float32(0.1), 0.001],
            "IsWholesale": [True, np.False_, "yes", pd.NA],
            "Comments": [datetime.date(2026, 3, 1), "'=1+1", 10**20, "NA"],
        }
    )
    checked = bulkupdate.check(frame, settings=bulkupdate.Settings())
    assert checked.exit_code == 0, checked.problems
    assert checked.results["Body"].tolist() == [
        '{"Phone1": "0049 30", "AccountManager1Commission": 2.5, "IsWholesale": true, "Comments": "2026-03-01"}',
        '{"AccountManager1Commission": 2.50, "IsWholesale": false, "Comments": "\'=1+1"}',
        '{"AccountManager1Commission": 0.1, "IsWholesale": true, "Comments": "100000000000000000000"}',
        '{"AccountManager1Commission": 0.001, "Comments": "NA"}',
    ]


def test_a_frame_of_texts_is_checked_as_the_same_sheet_is(tmp_path: Path) -> None:
    texts = [
        "NA",
        "null",
        "007",
        "+49 30",
        "1,50",
        "<clear>",
        " a ",
        "=1+1",
        "é\u0301",
        "TRUE",
        "1e5",
        "#N/A",
        "-",
        "'",
    ]
    frame = pd.DataFrame({"CustomerId": [str(163 + n) for n in range(len(texts))], "Name": texts, "Phone1": texts})
    frame["AccountManager1Commission"] = texts
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    from_frame, from_file = (bulkupdate.check(source, settings=bulkupdate.Settings()) for source in (frame, path))
    assert from_frame.results.reset_index(drop=True).equals(from_file.results.reset_index(drop=True))
    columns = ["CustomerId", "Column", "Value", "Code"]
    assert from_frame.problems[columns].equals(from_file.problems[columns])


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Comments", 1.5e17, "lost-digits"),
        ("Comments", ["a"], "value-type"),
        ("Comments", {"a": 1}, "value-type"),
        ("Comments", float("inf"), "value-type"),
        ("Comments", b"a", "value-type"),
        ("CustomerId", 163.5, "customer-id"),
    ],
)
def test_a_value_that_would_be_a_guess_is_a_problem_of_its_cell(column: str, value: object, code: str) -> None:
    record = {"CustomerId": 163, "Comments": "a", column: value}
    checked = bulkupdate.check([{"CustomerId": 162, "Comments": "b"}, record], settings=bulkupdate.Settings())
    assert (checked.exit_code, checked.counts) == (1, {"not attempted": 1, "invalid": 1})
    assert checked.problems[["Row", "Column", "Code"]].values.tolist() == [[1, column, code]]
    assert checked.results["Status"].to_dict() == {0: "not attempted", 1: "invalid"}


def test_rows_that_an_index_cannot_name_are_refused() -> None:
    for index in ([1, 1, 2], [-1, 0, 1]):
        with pytest.raises(InputFileError, match="index"):
            bulkupdate.check(make_frame().set_index(pd.Index(index)), settings=bulkupdate.Settings())
    texts = bulkupdate.check(make_frame().set_index(pd.Index(["b", "a", "a"])), settings=bulkupdate.Settings())
    assert texts.results.index.tolist() == [0, 1, 2]
    with pytest.raises(InputFileError, match="no column CustomerId"):
        bulkupdate.check(pd.DataFrame({"Name": ["a"]}), settings=bulkupdate.Settings())


def list_values(column: str, values: object) -> list[object]:
    """What would be sent of these values; None for a row without an update, the code for a problem."""
    frame = pd.DataFrame({"CustomerId": pd.array([163, 164], dtype="Int64"), column: values})
    checked = bulkupdate.check(frame, settings=bulkupdate.Settings())
    codes = dict(zip(checked.problems["Row"], checked.problems["Code"], strict=True))
    bodies = checked.results["Body"].map(lambda body: json.loads(body)[column], na_action="ignore")
    return [codes.get(row, None if pd.isna(value) else value) for row, value in bodies.items()]


@pytest.mark.parametrize(
    ("column", "values", "sent"),
    [
        ("Phone1", pd.array([49, None], dtype="Int64"), ["49", None]),
        ("Phone1", pd.Categorical([49, 50]), ["49", "50"]),
        ("Phone1", pd.arrays.SparseArray([1, 0]), ["1", "0"]),
        ("Name", pd.Categorical(["NA", None]), ["NA", None]),
        ("Name", pd.array(["007", None], dtype="string[pyarrow]"), ["007", None]),
        ("Name", [True, False], ["Yes", "No"]),
        ("IsWholesale", pd.array([True, None], dtype="boolean"), [True, None]),
        ("IsWholesale", pd.array([False, None], dtype="bool[pyarrow]"), [False, None]),
        ("Comments", pd.to_datetime(["2026-03-01", None]), ["2026-03-01T00:00:00", None]),
        ("Comments", pd.to_datetime(["2026-03-01 10:30", None]).tz_localize("Europe/Berlin"),
         ["2026-03-01T10:30:00+01:00", None]),
        ("Comments", pd.to_timedelta(["1D", None]), ["value-type", None]),
        ("Comments", pd.period_range("2026-01", periods=2), ["value-type", "value-type"]),
        ("Comments", [1j, 2], ["value-type", "value-type"]),
        ("AccountManager1Commission", np.array([0.1, 2.5], "float16"), [0.1, 2.5]),
        ("AccountManager1Commission", np.array([0.1, np.nan], "float32"), [0.1, None]),
        ("AccountManager1Commission", pd.array([0.1, None], dtype="float[pyarrow]"), [0.1, None]),
        ("Phone1", np.array([999_999, 16_777_217], "float32"), ["999999", "lost-digits"]),
        ("Phone1", [999_999_999_999_999.0, 1e15], ["999999999999999", "lost-digits"]),
    ],
)  # fmt: skip
def test_each_type_of_pandas_is_read_by_the_rules(column: str, values: object, sent: list[object]) -> None:
    assert list_values(column, values) == sent


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pd.DataFrame([[163, "a", "b"]], columns=["CustomerId", "Name", "Name"]), "both mean Name"),
        (pd.DataFrame([[163, "a"]], columns=pd.MultiIndex.from_product([["x"], ["CustomerId", "Name"]])), "no column"),
        (pd.DataFrame({"Name": ["a"]}, index=pd.Index([163], name="CustomerId")), "no column CustomerId"),
        (pd.DataFrame({"CustomerId": [], "Name": []}), "no rows"),
        (pd.DataFrame(), "no column CustomerId"),
        ([], "no column CustomerId"),
        ([(163, "a")], "no column CustomerId"),
        ([{"CustomerId": 163, "Nmae": "a"}], "did you mean Name"),
    ],
)
def test_what_is_no_table_of_customers_is_refused(source: Any, message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        bulkupdate.check(source, settings=bulkupdate.Settings())


def test_dictionaries_may_come_from_a_generator_and_lack_keys(settings: bulkupdate.Settings) -> None:
    def generate() -> Iterable[dict[str, object]]:
        yield {"CustomerId": 100_001, "Name": "a"}
        yield {"CustomerId": 100_002, "Comments": "b"}

    sent = bulkupdate.run(generate(), settings=settings, run_key="generated")
    assert sent.results["FieldsSent"].tolist() == [["Name"], ["Comments"]]
    assert bulkupdate.run(list(generate()), settings=settings, run_key="generated").run_id == sent.run_id


def test_a_recipe_says_how_a_frame_is_read(settings: bulkupdate.Settings) -> None:
    save_recipe(settings.state_dir, Recipe("mine", {"Kundennr": "CustomerId", "Notiz": "Comments", "Intern": "ignore"}))
    frame = pd.DataFrame({"Kundennr": [163], "Notiz": ["a"], "Intern": ["x"]})
    for options in ({}, {"recipe": "mine"}, {"recipe": settings.state_dir / "recipes" / "mine.toml"}):
        checked = bulkupdate.check(frame, settings=settings, **options)
        assert checked.results["Body"].tolist() == ['{"Comments": "a"}']
    with pytest.raises(InputFileError, match="no column CustomerId"):
        bulkupdate.check(frame, settings=settings, no_recipe=True)
