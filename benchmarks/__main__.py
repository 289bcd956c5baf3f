"""All programs, one after the other, each in a process of its own: `python -m benchmarks [--quick] [NAME …]`.

Writes `docs/performance.md` with its picture, and records the round in `benchmarks/rounds.csv`, when all were run in
full size; `--docs FOLDER` writes all of them there instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import FULL, QUICK, Figure
from benchmarks.page import write_page
from benchmarks.rounds import ROUNDS

PROJECT = Path(__file__).parents[1]
PROGRAMS = (
    "request_counts", "since_last", "burst", "quota_use", "sending_50ms", "sending_200ms", "sending_no_latency",
    "check_xlsx", "check_csv", "results", "check_memory", "run_memory", "journal", "start_up", "growth",
    "matching", "page_upload", "page_watchers", "sending_postgres", "quota_grants", "intake_wait", "history",
)  # fmt: skip
"""In the order of the goals."""


def main() -> int:
    """Run them; return 1 if one could not be measured. A goal that is missed is a finding, not a failure."""
    given = _parse()
    started = time.monotonic()
    figures: list[Figure] = []
    failures: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as temporary:
        for name in given.names or PROGRAMS:
            begun = time.monotonic()
            print(f"== {name}", file=sys.stderr, flush=True)
            try:
                figures += run_one(name, given.folder or Path(temporary), is_quick=given.quick)
            except RuntimeError as error:
                failures.append((name, str(error)))
                print(f"{name} could not be measured: {error}", file=sys.stderr)
            print(f"   {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    minutes = (time.monotonic() - started) / 60
    docs = given.docs or (None if given.names or given.quick else PROJECT / "docs")
    if docs is not None:
        repeats = (QUICK if given.quick else FULL).repeats
        write_page(
            docs, figures, failures, repeats=repeats, program_count=len(given.names or PROGRAMS), minutes=minutes,
            rounds=given.docs / ROUNDS.name if given.docs else ROUNDS,
        )  # fmt: skip
        print(f"{docs / 'performance.md'} written", file=sys.stderr)
    return 1 if failures else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that all work, measures nothing")
    parser.add_argument("--folder", type=Path, help="where sheets are kept for the next time")
    parser.add_argument("--docs", type=Path, help="where the page is written")
    return parser.parse_args()


def run_one(name: str, folder: Path, *, is_quick: bool) -> list[Figure]:
    """Return what one program measures. Raises `RuntimeError` if it ends without figures."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--folder", str(folder), *(["--quick"] if is_quick else [])]
    process = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if process.returncode:
        raise RuntimeError(f"it ended with exit code {process.returncode}; its messages are above")
    return [Figure(**each) for each in json.loads(process.stdout)]


if __name__ == "__main__":
    sys.exit(main())
