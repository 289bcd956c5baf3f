"""What earlier rounds measured, a line for each figure of a round, so that a regression is seen."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from benchmarks.figures import Figure, format_number

ROUNDS = Path(__file__).with_name("rounds.csv")
SHOWN = 3
"""The latest rounds that the page shows beside today's."""

_COLUMNS = ("day", "goal", "what", "value", "unit")


def read_rounds(path: Path, before: date) -> Mapping[str, str]:
    """Return what the latest rounds before that day measured, oldest first, by what was measured: `1.41, 1.38`."""
    found: dict[str, list[str]] = {}
    for row in _read(path):
        if row["day"] < before.isoformat():
            found.setdefault(row["what"], []).append(format_number(float(row["value"])))
    return {what: ", ".join(values[-SHOWN:]) for what, values in found.items()}


def add_round(path: Path, figures: Sequence[Figure], day: date) -> None:
    """Add the figures of a day; they replace those that it has already."""
    kept = [row for row in _read(path) if row["day"] != day.isoformat()]
    new = [
        {"day": day.isoformat(), "goal": each.goal, "what": each.what, "value": f"{each.value:.4g}", "unit": each.unit}
        for each in figures
    ]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *new])


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
