"""A number, or a percentage of the rows of a file."""

import pytest

from bulkupdate.change_limit import ChangeLimit


@pytest.mark.parametrize(
    ("text", "rows", "count"),
    [
        ("500", 10, 500),
        ("0", 10, 0),
        ("20%", 50, 10),
        ("2.5 %", 1000, 25),
        ("100%", 7, 7),
        ("none", 7, float("inf")),
        ("", 7, float("inf")),
    ],
)
def test_a_limit_is_a_number_or_a_percentage_of_the_rows(text, rows, count):
    assert ChangeLimit(text).resolve(rows) == count


@pytest.mark.parametrize("text", ["-1", "1e3", "101%", "20 percent", "None!", "٥", "5.5", "%", "1_000"])
def test_any_other_text_is_not_a_limit(text):
    with pytest.raises(ValueError, match="not a number"):
        ChangeLimit(text)
