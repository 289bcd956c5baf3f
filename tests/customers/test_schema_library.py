"""pandera is loaded without what it does to the variables of Spark, which may run in the same process."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import os
import bulkupdate.customers.schema_library
print(os.environ.get("SPARK_LOCAL_IP"), os.environ.get("PYARROW_IGNORE_TIMEZONE"))
"""


def test_variables_of_spark_are_left_as_they_were() -> None:
    before = {name: value for name, value in os.environ.items() if name != "PYARROW_IGNORE_TIMEZONE"}
    environment = {**before, "SPARK_LOCAL_IP": "10.1.2.3"}
    shown = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["10.1.2.3", "None"]
