"""The bodies of whole columns are those that each cell gives by itself."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkupdate.customers.bulk_payload import NO_CHANGES, encode_rows
from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.payload import encode_body

TYPED = [
    "", " ", "0", "False", "0.00", "12,50", "12.50", "007", "NA", "null", "nan", "<clear>", "#N/A", "a;b", "Neutral",
    "5", 'He said "no"', "C:\\new", "two\nlines", "tab\there", "\x00", "\x1f", "\x7f", "é", "😀", "+49 30 0", "=1+1",
    "yes", "a@example.com", "{}", ", ", '", "Name": "x',
]  # fmt: skip
CELL = st.sampled_from(TYPED) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROW = st.tuples(*[CELL] * len(UPDATABLE)) | st.just(("",) * len(UPDATABLE))


@settings(deadline=None, max_examples=150)
@given(st.lists(ROW, min_size=1, max_size=6), st.sampled_from([".", ","]), st.sampled_from(["name", "code"]))
def test_a_row_has_the_body_that_its_cells_give_one_by_one(rows, decimal_mark, rating_format):
    columns = {field: pd.Series([row[at] for row in rows], dtype="str") for at, field in enumerate(UPDATABLE)}
    encoded = encode_rows(columns, decimal_mark, rating_format)
    for row, body, sent in zip(rows, encoded.bodies(), encoded.sent_fields(), strict=True):
        read = {
            each.name: parse_cell(each, text, decimal_mark).value for each, text in zip(UPDATABLE, row, strict=True)
        }
        filled = {name: value for name, value in read.items() if value is not None}
        assert body == encode_body(filled, rating_format)
        assert sent == tuple(filled)


def test_rows_without_anything_to_send_keep_their_place():
    """pyarrow's own join of parts that may be null leaves such rows out."""
    name, phone = (next(field for field in UPDATABLE if field.name == name) for name in ("Name", "Phone1"))
    columns = {name: pd.Series(["", "Ann", ""], dtype="str"), phone: pd.Series(["", "", ""], dtype="str")}
    encoded = encode_rows(columns, ".", "name")
    assert encoded.bodies() == [NO_CHANGES, '{"Name": "Ann"}', NO_CHANGES]
    assert encoded.sent_fields() == [(), ("Name",), ()]
