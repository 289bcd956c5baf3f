"""Goal 6: sending at 200 ms an answer with 8 in flight, journal and quota on."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Figure, Size, run_program
from benchmarks.sending import measure_share


def measure(size: Size, _folder: Path) -> list[Figure]:
    """From after the sign-in to the last outcome."""
    return measure_share(6, size.slow_sent_rows, 0.2, 8, 0.99, size.repeats)


if __name__ == "__main__":
    run_program(measure)
