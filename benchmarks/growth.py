"""Goal 15: how time and memory of `check` grow with the rows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Points, Size, run_program
from benchmarks.program import bulkupdate
from benchmarks.sheets import obtain_sheet


def measure(size: Size, folder: Path) -> list[Figure]:
    """Once, but for the medians of those .csv sheets whose small difference counts."""
    lines: dict[str, tuple[Points, Points]] = {}
    small_sheets, huge = {size.sheet_rows // 10: size.repeats, size.sheet_rows: size.repeats}, {size.huge_sheet_rows: 1}
    for ending, repeats in {".csv": small_sheets | huge, ".xlsx": dict.fromkeys(small_sheets, 1)}.items():
        measured = [(rows, _check(obtain_sheet(folder, rows, ending), times)) for rows, times in repeats.items()]
        lines[ending] = [(n, seconds) for n, (seconds, _) in measured], [(n, mib) for n, (_, mib) in measured]
    times_taken, peaks = lines[".csv"]
    (_, small), (middle, seconds), (large, most_seconds) = times_taken
    per_row, per_row_large = (seconds - small) / (middle * 0.9), (most_seconds - seconds) / (large - middle)
    return [
        Figure(
            15,
            f"time of a further row from {middle:,} to {large:,} rows ÷ up to {middle:,}, `check` with report, .csv",
            per_row_large / max(per_row, 1e-9),
            most=1.15,
            beside=_say(times_taken, " s") + "; .xlsx " + _say(lines[".xlsx"][0], " s"),
            series={f"time of {ending}": each[0] for ending, each in lines.items()}
            | {f"memory of {ending}": each[1] for ending, each in lines.items()},
        ),
        Figure(
            15,
            f"peak memory of `check` with report, {large:,} rows × 24, .csv",
            peaks[-1][1],
            " MiB",
            beside=_say(peaks, " MiB") + "; .xlsx " + _say(lines[".xlsx"][1], " MiB"),
        ),
    ]


def _check(sheet: Path, repeats: int) -> tuple[float, float]:
    """Seconds and MiB."""
    with tempfile.TemporaryDirectory() as own:
        report = Path(own) / "report.xlsx"
        ended = [bulkupdate("check", sheet, "-o", report, folder=Path(own)) for _ in range(repeats)]
    return median(each.seconds for each in ended), max(each.peak_mib for each in ended)


def _say(points: Points, unit: str) -> str:
    return ", ".join(f"{rows:,.0f} rows {value:,.1f}{unit}" for rows, value in points)


if __name__ == "__main__":
    run_program(measure)
