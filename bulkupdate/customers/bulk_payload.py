"""Encode the bodies of many rows at once, by pyarrow.

Only cells that JSON does not hold as typed are parsed one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import compress, product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import Field
from bulkupdate.customers.payload import SEPARATOR, encode_member
from bulkupdate.customers.plain_values import is_plain_mask
from bulkupdate.threads import map_in_threads

NO_CHANGES = "{}"
"""The body of a row with nothing to send."""

_TEXT = pa.large_string()
_ESCAPED_IN_JSON = r'["\\\x00-\x1f]'


@dataclass(frozen=True)
class EncodedRows:
    """The members of the bodies of some rows, a column for each field; empty (not null) for what is not sent."""

    members: Mapping[str, pa.Array]

    def bodies(self) -> list[str]:
        """Return each row's body, byte for byte as it will be sent, or `NO_CHANGES`."""
        members = _join(*self.members.values()).to_pylist()
        return [f"{{{text[len(SEPARATOR) :]}}}" for text in members]

    def sent_fields(self) -> list[tuple[str, ...]]:
        """Return the names of the fields in each row's body.

        Eight columns are packed into a byte, whose tuple of names is looked up.
        """
        names = tuple(self.members)
        is_sent = [pc.not_equal(cells, "").to_numpy(zero_copy_only=False) for cells in self.members.values()]
        columns = [
            map(_list_choices(names[8 * place : 8 * place + 8]).__getitem__, codes.tolist())
            for place, codes in enumerate(np.packbits(np.column_stack(is_sent), axis=1).T)
        ]
        return [sum(parts, ()) for parts in zip(*columns, strict=True)]


def _list_choices(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return each choice of up to eight names, at the byte whose bits stand for them, the first leading."""
    return [tuple(compress(names, bits)) for bits in product((False, True), repeat=8)]


def encode_rows(columns: Mapping[Field, pd.Series], decimal_mark: str, rating_format: str) -> EncodedRows:
    """Encode the cells of some rows; blank and unparsable ones are left out."""
    encode = partial(_encode_column, decimal_mark=decimal_mark, rating_format=rating_format)
    return EncodedRows({field.name: cells for field, cells in map_in_threads(encode, columns).items()})


def _encode_column(field: Field, texts: pd.Series, decimal_mark: str, rating_format: str) -> pa.Array:
    """Return the member of the body for each cell, with a separator before it; empty (not null) for what is not sent.

    Pyarrow 26 drops rows in a join if all of their cells are null. Repeated texts are parsed once.
    """
    cells = pa.chunked_array(texts.array.__arrow_array__(), _TEXT).combine_chunks()
    as_typed = _is_sent_as_typed_mask(field, decimal_mark, texts, cells)
    others = cells.filter(pc.invert(as_typed)).unique()
    values = [parse_cell(field, text, decimal_mark).value for text in others.to_pylist()]
    read = ["" if value is None else SEPARATOR + encode_member(field, value, rating_format) for value in values]
    return pc.if_else(
        as_typed,
        _join(f'{SEPARATOR}"{field.name}": "', cells, '"'),
        pa.array(read, _TEXT).take(pc.index_in(cells, others)),
    )


def _is_sent_as_typed_mask(field: Field, decimal_mark: str, texts: pd.Series, cells: pa.Array) -> pa.Array:
    """Return a mask, true for a plain text that JSON holds as it is."""
    if not field.type.is_text:
        return pa.array(np.zeros(len(cells), dtype=bool))
    is_verbatim = pc.invert(pc.match_substring_regex(cells, _ESCAPED_IN_JSON))
    return pc.and_(pc.and_(pa.array(is_plain_mask(field, decimal_mark, texts)), is_verbatim), pc.not_equal(cells, ""))


def _join(*parts: str | pa.Array) -> pa.Array:
    """Return the parts of each row joined to one text."""
    texts = [pa.scalar(part, _TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar("", _TEXT))
