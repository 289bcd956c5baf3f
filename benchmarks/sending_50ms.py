"""Goal 5: sending at 50 ms an answer with 32 in flight, journal and quota on."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Figure, Size, run_program
from benchmarks.sending import measure_share


def measure(size: Size, _folder: Path) -> list[Figure]:
    """From after the sign-in to the last outcome."""
    return measure_share(5, size.sent_rows, 0.05, 32, 0.97, size.repeats)


if __name__ == "__main__":
    run_program(measure)
