"""Goal 12: the memory of a `run` of a million rows, watched while it sends; killed after some thousands.

Writing its results is not included: it goes row by row, in a memory that does not depend on how many they are
(`results.py` has the time).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import OperationalError, connect
from statistics import median

import psutil  # type: ignore[import-untyped]  # published without type information

from benchmarks.delayed_server import serve_delayed
from benchmarks.figures import Figure, Points, Size, run_program
from benchmarks.program import PROJECT, make_environment
from benchmarks.sheets import obtain_sheet
from bulkupdate.errors import ExitCode
from bulkupdate.store.journal_file import JOURNAL_NAME

SENT_SHARE = 0.012
LOOK_SECONDS = 0.1
MIB = 2**20


def measure(size: Size, folder: Path) -> list[Figure]:
    """Once: it takes minutes. A million PUTs would take hours and, as the figures show, no more memory."""
    rows = size.huge_sheet_rows
    sheet = obtain_sheet(folder, rows, ".csv")
    with serve_delayed(0) as base_url, tempfile.TemporaryDirectory() as own:
        watched = _run(sheet, Path(own), base_url, max(10, round(rows * SENT_SHARE)))
    sent = watched.while_sending
    early, late = (median(part) for part in _split(sent))
    return [
        Figure(
            12,
            f"peak memory of a `run` of {rows:,} rows × 24, .csv",
            watched.peak_mib / 1024,
            " GiB",
            most=0.9,
            beside=f"from its start until {sent[-1][0]:,.0f} rows were sent, {watched.seconds:.0f} s; measured once",
            series={f"sending {rows:,} rows of .csv": [(at, mib) for at, mib in sent]},
        ),
        Figure(
            12,
            "memory late in the sending ÷ early in it",
            late / early,
            most=1.05,
            beside=f"{early:.0f} MiB with about {sent[len(sent) // 6][0]:,.0f} rows sent, {late:.0f} MiB with about "
            f"{sent[-len(sent) // 6][0]:,.0f}",
        ),
    ]


class _Watched:
    """What is seen of the process from outside: `while_sending` is rows sent and memory in MiB."""

    def __init__(self) -> None:
        self.while_sending: Points = []
        self.peak_mib = 0.0
        self.seconds = 0.0


def _split(sent: Points) -> Iterator[list[float]]:
    third = max(1, len(sent) // 3)
    yield [mib for _, mib in sent[:third]]
    yield [mib for _, mib in sent[-third:]]


def _run(sheet: Path, own: Path, base_url: str, most_rows: int) -> _Watched:
    watched = _Watched()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bulkupdate", "run", str(sheet), "--yes", "--quiet", "-o", str(own / "results.csv")],
        cwd=PROJECT, env=make_environment(own, base_url, requests_per_hour=0), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process, own, most_rows, watched, ended))
    watcher.start()
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    watched.seconds = time.perf_counter() - started
    watched.peak_mib = used.ru_maxrss / 1024
    if process.returncode not in (-signal.SIGKILL, ExitCode.DONE) or not watched.while_sending:
        raise RuntimeError(f"the run ended with {process.returncode}: {said[-2000:]}")
    return watched


def _watch(
    process: subprocess.Popen[bytes], own: Path, most_rows: int, watched: _Watched, ended: threading.Event
) -> None:
    """Look at the memory from the first row sent on, and end the run after `most_rows`."""
    seen = psutil.Process(process.pid)
    sent = 0
    while not ended.wait(LOOK_SECONDS) and sent < most_rows:
        sent = _count_requests(own / "state" / JOURNAL_NAME)
        if sent:
            watched.while_sending.append((sent, seen.memory_info().rss / MIB))
    if not ended.is_set():
        process.kill()


def _count_requests(journal: Path) -> int:
    """The requests the run has noted so far, without standing in its way."""
    try:
        with closing(connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT max(calls) FROM runs").fetchone()[0] or 0)
    except OperationalError:
        return 0  # not there yet


if __name__ == "__main__":
    run_program(measure)
