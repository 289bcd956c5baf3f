"""Goal 9: `check` of a CSV file beside the same rows in an Excel sheet."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.figures import Figure, Size, interleave, run_program, seconds_of
from benchmarks.program import bulkupdate
from benchmarks.sheets import obtain_sheet
from bulkupdate.runs.intake import SheetOptions, take_in
from bulkupdate.settings import Settings


def measure(size: Size, folder: Path) -> list[Figure]:
    """With the report, as for the Excel sheet; and up to the checked rows, without what is the same work for both."""
    csv_sheet, excel_sheet = (obtain_sheet(folder, size.sheet_rows, ending) for ending in (".csv", ".xlsx"))
    with tempfile.TemporaryDirectory() as own:

        def check(sheet: Path) -> Callable[[], float]:
            report = Path(own) / "report.xlsx"
            return lambda: bulkupdate("check", sheet, "-o", report, folder=Path(own)).seconds

        def read_and_check(sheet: Path) -> Callable[[], float]:
            return lambda: seconds_of(lambda: take_in(sheet, Settings(), SheetOptions()))

        seconds = interleave(
            size.repeats,
            {
                "csv": check(csv_sheet),
                "xlsx": check(excel_sheet),
                "csv to the checked rows": read_and_check(csv_sheet),
                "xlsx to the checked rows": read_and_check(excel_sheet),
                "pandas": lambda: seconds_of(lambda: pd.read_csv(csv_sheet, dtype=str, keep_default_na=False)),
            },
        )
    what = f"{size.sheet_rows:,} rows × 24"
    return [
        Figure(
            9,
            f"`check` with report of .csv ÷ of .xlsx, {what}",
            seconds["csv"] / seconds["xlsx"],
            most=0.6,
            beside=f".csv {seconds.say('csv')}, .xlsx {seconds.say('xlsx')}",
            limit="The program's start and the report cost the same for both; without them see the next figure.",
        ),
        Figure(
            9,
            f"up to the checked rows, .csv ÷ .xlsx, {what}",
            seconds["csv to the checked rows"] / seconds["xlsx to the checked rows"],
            beside=f".csv {seconds.say('csv to the checked rows')}, .xlsx {seconds.say('xlsx to the checked rows')}; "
            f"pandas' bare read of the .csv as text {seconds.say('pandas')}",
        ),
    ]


if __name__ == "__main__":
    run_program(measure)
