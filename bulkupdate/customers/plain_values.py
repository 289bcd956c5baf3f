"""The fast path: whole columns are matched at once, and only texts that are not plain are parsed one by one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID, Field

_SEEN = r"[^\s\pZ\x0b\x1c-\x1f\x{85}\x{200b}\x{2060}\x{feff}]"


def select_unplain(field: Field, decimal_mark: str, texts: pd.Series) -> pd.Series:
    """Return the texts of a column that are neither blank nor plain, and so need parsing."""
    return texts[~is_plain_mask(field, decimal_mark, texts)]


def is_plain_mask(field: Field, decimal_mark: str, texts: pd.Series) -> np.ndarray:
    """Return a mask, true if a text is blank or plain."""
    return _match(texts, rf"\A(?:|{field.type.plain_pattern_for(decimal_mark)})\z")


def is_filled_mask(texts: pd.Series) -> np.ndarray:
    """Return a mask, true if a text has visible characters."""
    return _match(texts, _SEEN)


def normalize_ids(texts: pd.Series) -> pd.Series:
    """Return customer ids as they will be sent, `163` for `163.0`; empty if the text is not an id."""
    odd = select_unplain(CUSTOMER_ID, ".", texts)
    ids = odd.map(lambda text: str(parse_cell(CUSTOMER_ID, text).value or ""))
    return texts.where(~texts.index.isin(odd.index), ids)


def _match(texts: pd.Series, pattern: str) -> np.ndarray:
    found = pc.match_substring_regex(texts.array.__arrow_array__(), pattern)
    is_found: np.ndarray = found.to_numpy(zero_copy_only=False)
    return is_found


def translate_values(texts: pd.Series, table: Mapping[str, str]) -> pd.Series:
    """Return the texts with those of the table replaced by their values; case and outer blanks do not count."""
    folded = {fold_value(text): value for text, value in table.items()}
    if not folded:
        return texts
    known = {text: folded[fold_value(text)] for text in texts.unique().tolist() if fold_value(text) in folded}
    return texts.where(~texts.isin(list(known)), texts.map(known))


def fold_value(text: str) -> str:
    """Return a text as those of value tables are compared: without case, and without blanks around it."""
    return text.strip().casefold()
