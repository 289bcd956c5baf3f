"""Goal 9: `check` of a CSV file beside the same rows in an Excel sheet."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.figures import Figure, Size, interleave, run_program, seconds_of
from benchmarks.program import bulkupdate
from benchmarks.sheets import obtain_sheet
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings


def measure(size: Size, folder: Path) -> list[Figure]:
    """Without a report and with one, which is the same work for both kinds of file."""
    csv_sheet, excel_sheet = (obtain_sheet(folder, size.sheet_rows, ending) for ending in (".csv", ".xlsx"))
    ten_rows = obtain_sheet(folder, 10, ".csv")
    with tempfile.TemporaryDirectory() as own:

        def check(sheet: Path, *report: object) -> Callable[[], float]:
            return lambda: bulkupdate("check", sheet, *report, folder=Path(own)).seconds

        report = ("-o", Path(own) / "report.xlsx")
        seconds = interleave(
            size.repeats,
            {
                "start": check(ten_rows),
                ".csv": check(csv_sheet),
                ".xlsx": check(excel_sheet),
                ".csv with report": check(csv_sheet, *report),
                ".xlsx with report": check(excel_sheet, *report),
                "checked rows": lambda: seconds_of(lambda: load_input_file(csv_sheet, Settings(), SheetOptions())),
                "pandas": lambda: seconds_of(lambda: pd.read_csv(csv_sheet, dtype=str, keep_default_na=False)),
            },
        )
    what = f"{size.sheet_rows:,} rows × 24"
    alike = seconds["start"] + seconds[".csv with report"] - seconds[".csv"]
    return [
        Figure(
            9,
            f"`check` of .csv ÷ of .xlsx, {what}",
            seconds[".csv"] / seconds[".xlsx"],
            most=0.55,
            beside=f".csv {seconds.say('.csv')}, .xlsx {seconds.say('.xlsx')}; reading and checking the .csv alone "
            f"{seconds.say('checked rows')}, pandas' bare read of it as text {seconds.say('pandas')}",
            limit="The start of the program is the same for both.",
        ),
        Figure(
            9,
            f"`check` of .csv ÷ of .xlsx, both with the report of all previews, {what}",
            seconds[".csv with report"] / seconds[".xlsx with report"],
            most=0.55,
            beside=f".csv {seconds.say('.csv with report')}, .xlsx {seconds.say('.xlsx with report')}; start "
            f"(`check` of ten rows) and report, which are the same for both, take {alike:.2f} s",
            limit="The start and the report are the same for both. To reach 0.55, a .csv would have to be read and "
            f"checked in {0.55 * seconds['.xlsx with report'] - alike:.2f} s; pandas' bare read alone takes "
            f"{seconds.say('pandas')}. The faster an .xlsx is read, the less time is left.",
        ),
    ]


if __name__ == "__main__":
    run_program(measure)
