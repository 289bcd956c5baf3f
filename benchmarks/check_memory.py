"""Goal 11: the peak memory of `check` of a large Excel sheet, report included."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.program import bulkupdate, python
from benchmarks.sheets import obtain_sheet

_BARE = """
import sys
import pandas
from python_calamine import CalamineWorkbook
rows = CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python()
table = pandas.DataFrame(rows[1:], columns=rows[0], dtype=str)
"""


def measure(size: Size, folder: Path) -> list[Figure]:
    """Each as a process of its own, by what the system says of it when it has ended."""
    sheet = obtain_sheet(folder, size.sheet_rows, ".xlsx")
    with tempfile.TemporaryDirectory() as own:
        report = Path(own) / "report.xlsx"
        peaks = interleave(
            size.repeats,
            {
                "check": lambda: bulkupdate("check", sheet, "-o", report, folder=Path(own)).peak_mib,
                "calamine": lambda: python("-c", _BARE, sheet).peak_mib,
            },
        )
    return [
        Figure(
            11,
            f"peak memory of `check` with report, {size.sheet_rows:,} rows × 24, .xlsx",
            peaks["check"],
            " MiB",
            most=400,
            beside=f"this tool {peaks.say('check', ' MiB')}; calamine and a pandas frame of text, and nothing else, "
            f"{peaks.say('calamine', ' MiB')}",
        )
    ]


if __name__ == "__main__":
    run_program(measure)
