"""Goal 14: how long the program takes to start."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.program import bulkupdate, python
from benchmarks.sheets import obtain_sheet


def measure(size: Size, folder: Path) -> list[Figure]:
    """Processes of their own, compiled before."""
    sheet = obtain_sheet(folder, 10, ".csv")
    with tempfile.TemporaryDirectory() as own:
        seconds = interleave(
            size.starts,
            {
                "--help": lambda: bulkupdate("--help", folder=Path(own)).seconds,
                "import": lambda: python("-c", "import bulkupdate").seconds,
                "click": lambda: python("-c", "import click").seconds,
                "check": lambda: bulkupdate("check", sheet, folder=Path(own)).seconds,
                "pandas": lambda: python("-c", "import pandas").seconds,
                "pandera": lambda: python("-c", "import pandera.pandas").seconds,
            },
        )
    return [
        Figure(
            14,
            "`bulkupdate --help` ÷ `python -c 'import click'`",
            seconds["--help"] / seconds["click"],
            most=1.8,
            beside=f"{seconds.say('--help')}; click alone {seconds.say('click')}",
        ),
        Figure(
            14,
            "`import bulkupdate` ÷ `import click`",
            seconds["import"] / seconds["click"],
            most=1.0,
            beside=f"{seconds.say('import')}; its functions load pandas when they are first used",
        ),
        Figure(
            14,
            "`check` of ten rows ÷ `python -c 'import pandas'`",
            seconds["check"] / seconds["pandas"],
            most=1.4,
            beside=f"{seconds.say('check')}; importing pandas alone {seconds.say('pandas')}: pandas, pyarrow and "
            "pandera are loaded only where a sheet is read",
            limit=f"Importing pandera, which imports pandas too, takes {seconds.say('pandera')}: "
            f"{seconds['pandera'] / seconds['pandas']:.2f} × `import pandas`, before the program has done anything.",
        ),
    ]


if __name__ == "__main__":
    run_program(measure)
