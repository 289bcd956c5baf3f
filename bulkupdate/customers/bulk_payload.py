"""The bodies of many rows at once, by pyarrow; only cells that do not stand in JSON as typed are read one by one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bulkupdate.customers.fields import Field
from bulkupdate.customers.payload import SEPARATOR, encode_member
from bulkupdate.customers.plain_values import find_plain
from bulkupdate.customers.values import read_value

_TEXT = pa.large_string()
_ESCAPED_IN_JSON = r'["\\\x00-\x1f]'


def encode_bodies(
    columns: Mapping[Field, pd.Series], decimal_mark: str, rating_format: str
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Each row's body, byte for byte what will be sent, and the names of the fields in it.

    Cells that are blank or cannot be read are left out; a row with no other cells has the body `{}` and no names.
    """
    members = [_encode_column(each, texts, decimal_mark, rating_format) for each, texts in columns.items()]
    bodies = _join("{", pc.utf8_slice_codeunits(_join(*members), len(SEPARATOR)), "}")
    is_sent = np.column_stack([pc.not_equal(each, "").to_numpy(zero_copy_only=False) for each in members]).tolist()
    names = [each.name for each in columns]
    return bodies.to_pylist(), [tuple(compress(names, row)) for row in is_sent]


def _encode_column(each: Field, texts: pd.Series, decimal_mark: str, rating_format: str) -> pa.Array:
    """The member of the body for each cell, a separator before it; empty for what is not sent, not null: pyarrow 26
    joins fewer rows than there are where all of a row is null. Texts that repeat are read once."""
    cells = pa.chunked_array(texts.array.__arrow_array__(), _TEXT).combine_chunks()
    as_typed = _find_sent_as_typed(each, decimal_mark, texts, cells)
    others = cells.filter(pc.invert(as_typed)).unique()
    values = [read_value(each, text, decimal_mark).value for text in others.to_pylist()]
    read = ["" if value is None else SEPARATOR + encode_member(each, value, rating_format) for value in values]
    return pc.if_else(
        as_typed,
        _join(f'{SEPARATOR}"{each.name}": "', cells, '"'),
        pa.array(read, _TEXT).take(pc.index_in(cells, others)),
    )


def _find_sent_as_typed(each: Field, decimal_mark: str, texts: pd.Series, cells: pa.Array) -> pa.Array:
    """True for a plain text that stands in JSON as it is."""
    if not each.kind.is_text:
        return pa.array(np.zeros(len(cells), dtype=bool))
    is_verbatim = pc.invert(pc.match_substring_regex(cells, _ESCAPED_IN_JSON))
    return pc.and_(pc.and_(pa.array(find_plain(each, decimal_mark, texts)), is_verbatim), pc.not_equal(cells, ""))


def _join(*parts: str | pa.Array) -> pa.Array:
    """The parts of each row in one text."""
    texts = [pa.scalar(part, _TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar("", _TEXT))
