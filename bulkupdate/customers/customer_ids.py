"""Normalise a whole column of customer ids."""

from __future__ import annotations

import pandas as pd

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.plain_values import select_unplain


def normalise_ids(texts: pd.Series) -> pd.Series:
    """Return the ids as they will be sent, `163` for `163.0`; empty if the text is not an id."""
    odd = select_unplain(CUSTOMER_ID, ".", texts)
    return texts.where(
        ~texts.index.isin(odd.index), odd.map(lambda text: str(parse_cell(CUSTOMER_ID, text).value or ""))
    )
