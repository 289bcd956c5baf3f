"""pandera, without what importing it does to the process: it sets variables of Spark, which may run beside us."""

from __future__ import annotations

import os

_before = {name: os.environ.get(name) for name in ("SPARK_LOCAL_IP", "PYARROW_IGNORE_TIMEZONE")}

import pandera.pandas as pa  # noqa: E402
from pandera.errors import SchemaErrors  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)

__all__ = ["SchemaErrors", "pa"]
