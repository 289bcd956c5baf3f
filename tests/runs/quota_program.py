"""One process that sends a sheet within a quota of less than an hour: `quota_program SHEET FOLDER SETTINGS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bulkupdate.redaction import Secret
from tests.runs.in_process import Driver


def main() -> None:
    sheet, folder, given = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    if "database" in given:
        given["database"] = Secret(given["database"])
    driver = Driver(given.pop("base_url"), folder, window_seconds=given.pop("window_seconds"), settings=given)
    ending = driver.execute_run(driver.begin(sheet))
    print(json.dumps({"counts": dict(ending.tally.counts), "exit_code": ending.exit_code}))  # noqa: T201


if __name__ == "__main__":
    main()
