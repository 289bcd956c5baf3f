"""Frames of customers."""

from __future__ import annotations

from typing import Any

import pandas as pd

FIRST = 100_001


def make_frame(rows: int = 3, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"CustomerId": range(FIRST, FIRST + rows), "Name": [f"row {n}" for n in range(rows)], **columns}
    )
