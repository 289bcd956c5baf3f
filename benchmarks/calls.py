"""Goal 1: the calls of a run in which nothing fails, as the sandbox counts them."""

from __future__ import annotations

import tempfile
from math import floor
from pathlib import Path

from benchmarks.figures import Figure, Size, run_program
from benchmarks.program import Ended, bulkupdate
from benchmarks.sheets import FIRST_ID, obtain_sheet
from bulkupdate.sandbox.options import SandboxOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.service.sign_in import EARLY_SHARE

TOKEN_SECONDS = 2


def measure(size: Size, folder: Path) -> list[Figure]:
    """Once each: a count does not vary."""
    sheet, rows = obtain_sheet(folder, size.sent_rows, ".csv"), size.sent_rows
    counts, _ = _send(sheet, rows, token_seconds=3600)
    short, ended = _send(sheet, rows, token_seconds=TOKEN_SECONDS)
    lives = 1 + floor(ended.seconds / (TOKEN_SECONDS * (1 - EARLY_SHARE)))
    return [
        Figure(
            1,
            f"calls for {rows:,} rows",
            counts["requests"],
            most=rows + 1,
            beside=f"{counts['writes']:,} updates and {counts['tokens']} sign-in, counted by the sandbox; rows + 1",
        ),
        Figure(
            1,
            f"sign-ins for {rows:,} rows where a token lives {TOKEN_SECONDS} s",
            short["tokens"],
            most=lives,
            beside=f"{short['writes']:,} updates; the run spans {lives} lives of a token, which is renewed after "
            f"{1 - EARLY_SHARE:.0%} of its life",
        ),
    ]


def _send(sheet: Path, rows: int, token_seconds: int) -> tuple[dict[str, int], Ended]:
    options = SandboxOptions(
        customers=rows, first_customer_id=FIRST_ID, requests_per_hour=0, token_seconds=token_seconds
    )
    with Sandbox(options) as sandbox, tempfile.TemporaryDirectory() as own:
        ended = bulkupdate(
            "run", sheet, "--yes", "-o", Path(own) / "results.csv", folder=Path(own), base_url=sandbox.base_url
        )
        counts = sandbox.counts
    return {name: int(str(counts[name])) for name in ("requests", "writes", "tokens")}, ended


if __name__ == "__main__":
    run_program(measure)
