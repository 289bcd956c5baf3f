"""A whole column of customer ids at once, as they are sent."""

from __future__ import annotations

import pandas as pd

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.plain_values import needs_parsing
from bulkupdate.customers.values import read_value


def normalise_ids(texts: pd.Series) -> pd.Series:
    """Return the ids as they will be sent, `163` for `163.0`; empty if the text is not an id."""
    odd = needs_parsing(CUSTOMER_ID, ".", texts)
    return texts.where(
        ~texts.index.isin(odd.index), odd.map(lambda text: str(read_value(CUSTOMER_ID, text).value or ""))
    )
