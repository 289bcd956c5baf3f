"""Goal 8: `check` of an Excel sheet with its whole report, beside the bare read and a hand-written program."""

from __future__ import annotations

import tempfile
from pathlib import Path

from python_calamine import CalamineWorkbook

from benchmarks.figures import Figure, Size, interleave, run_program, seconds_of
from benchmarks.program import bulkupdate, python
from benchmarks.sheets import obtain_sheet
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings


def measure(size: Size, folder: Path) -> list[Figure]:
    """By hand once only: it takes as long as all the rest together."""
    sheet = obtain_sheet(folder, size.sheet_rows, ".xlsx")
    with tempfile.TemporaryDirectory() as own:
        report = Path(own) / "report.xlsx"
        seconds = interleave(
            size.repeats,
            {
                "calamine": lambda: seconds_of(lambda: read_bare(sheet)),
                "to the checked rows": lambda: seconds_of(lambda: load_input_file(sheet, Settings(), SheetOptions())),
                "check": lambda: bulkupdate("check", sheet, "-o", report, folder=Path(own)).seconds,
            },
        )
        by_hand = python("-m", "benchmarks.by_hand", sheet, Path(own) / "by-hand.xlsx").seconds
    bare = seconds["calamine"]
    what = f"{size.sheet_rows:,} rows × 24, .xlsx"
    return [
        Figure(
            8,
            f"`check` with all previews ÷ bare calamine read, {what}",
            seconds["check"] / bare,
            most=3,
            beside=f"`check` as a process of its own {seconds.say('check')}, calamine {seconds.say('calamine')}",
            limit="Writing the report: 100,000 bodies, as long as they are, are put together, escaped and compressed.",
        ),
        Figure(
            8,
            f"up to the checked rows ÷ bare calamine read, {what}",
            seconds["to the checked rows"] / bare,
            most=1.6,
            beside=f"{seconds.say('to the checked rows')}; calamine {seconds.say('calamine')}",
            limit="Beside calamine's read the file's XML is looked through for what that does not tell: error cells, "
            "formulas never calculated, number formats. Then the texts are laid out and every column is checked.",
        ),
        Figure(
            8,
            "hand-written (pandas.read_excel with openpyxl, a loop, to_excel) ÷ `check`",
            by_hand / seconds["check"],
            least=10,
            beside=f"hand-written {by_hand:.1f} s, measured once: it writes the sheet with two more columns, "
            "the problems and the body",
            limit="The hand-written program is as quick as it can be: to_dict instead of iterrows, few checks.",
        ),
    ]


def read_bare(sheet: Path) -> object:
    """The read of python-calamine, and nothing else."""
    return CalamineWorkbook.from_path(sheet).get_sheet_by_index(0).to_python()


if __name__ == "__main__":
    run_program(measure)
