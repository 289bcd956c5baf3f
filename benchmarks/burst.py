"""Goal 3: 1,000 rows in an hour of which nothing is used yet, 200 ms an answer, eight in flight: sheet to results."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import requests

from benchmarks.delayed_server import serve_delayed
from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.program import bulkupdate
from benchmarks.sheets import list_bodies, obtain_sheet

LATENCY_SECONDS, CONCURRENCY, PACE = 0.2, 8, 3
PACED_ROWS = 6


def measure(size: Size, folder: Path) -> list[Figure]:
    """The whole program, start to end, beside a tool that paces its requests."""
    rows = size.burst_rows
    sheet = obtain_sheet(folder, rows, ".csv")
    ideal = rows * LATENCY_SECONDS / CONCURRENCY
    with serve_delayed(LATENCY_SECONDS) as base_url:
        seconds = interleave(
            size.repeats,
            {
                "this tool": lambda: _send(sheet, base_url),
                "paced": lambda: _send_paced(base_url, min(rows, PACED_ROWS)) * rows / min(rows, PACED_ROWS),
            },
        )
    return [
        Figure(
            3,
            f"{rows:,} rows, 200 ms × 8: seconds from start to results",
            seconds["this tool"],
            " s",
            most=1.1 * ideal,
            beside=f"rows × latency ÷ concurrency is {ideal:.1f} s; a tool that sends {PACE} requests a second takes "
            f"{seconds['paced']:.0f} s ({PACED_ROWS} rows measured each time, the rest in proportion): "
            f"{seconds['paced'] / seconds['this tool']:.1f} × as long",
            limit="Beyond the sending there are the start of the program, the check, the sign-in, the first row, which "
            "goes alone, and the results.",
        )
    ]


def _send(sheet: Path, base_url: str) -> float:
    with tempfile.TemporaryDirectory() as own:
        return bulkupdate(
            "run", sheet, "--yes", "-o", Path(own) / "results.xlsx",
            folder=Path(own), base_url=base_url, concurrency=CONCURRENCY,
        ).seconds  # fmt: skip


def _send_paced(base_url: str, rows: int) -> float:
    """Send a request each third of a second, the quota of the hour divided evenly; counted from start to start."""
    started = time.perf_counter()
    with requests.Session() as session:
        for at, (customer_id, body) in enumerate(list_bodies(rows), start=1):
            session.put(f"{base_url}/Customers/{customer_id}", data=body, timeout=30).raise_for_status()
            time.sleep(max(0.0, started + at / PACE - time.perf_counter()))
    return time.perf_counter() - started


if __name__ == "__main__":
    run_program(measure)
