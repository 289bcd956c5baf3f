"""Goal 18: what it costs the upload page that 20 users watch a large run."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from benchmarks.figures import Figure, Size, run_program
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.served import PASSWORD, FreshServer, Visitor, make_csv, path_of

WATCHERS = 20
REFRESH_SECONDS = 2.0
"""As `static/page.js` has it."""


def measure(size: Size, _folder: Path) -> list[Figure]:
    """Once. The run waits for quota meanwhile, which costs nothing: what is measured is the watching."""
    options = SandboxOptions(customers=size.sheet_rows, password=PASSWORD)
    with (
        tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as own,
        Sandbox(options) as sandbox,
        FreshServer(sandbox.base_url, Path(own) / "state", requests_per_hour="60") as server,
    ):
        visitor = Visitor(server.url, "sandbox")
        progress = path_of(visitor.start(visitor.upload("large.csv", make_csv(size.sheet_rows)))) + "/progress"
        while "waiting for quota" not in visitor.get(progress).text:
            time.sleep(0.2)
        share, waits = _watch(server, visitor, progress, 2 * size.window_seconds)
    return [
        Figure(
            18,
            f"share of a core that {WATCHERS} watchers of a run of {size.sheet_rows:,} rows take",
            share * 100,
            " %",
            most=5,
            beside=f"{len(waits):,} answers, the slowest after {1000 * max(waits):.0f} ms",
        )
    ]


def _watch(server: FreshServer, visitor: Visitor, path: str, seconds: float) -> tuple[float, list[float]]:
    """Return the server's processor time ÷ the time that passed, and how long each answer took in seconds."""
    assert server.process is not None
    process, stop, waits = psutil.Process(server.process.pid), threading.Event(), list[float]()

    def watch(number: int) -> None:
        watcher = Visitor(server.url)
        watcher.session.cookies.update(visitor.session.cookies)
        stop.wait(number * REFRESH_SECONDS / WATCHERS)  # they did not open the page at the same moment
        while not stop.is_set():
            asked = time.perf_counter()
            watcher.get(path).raise_for_status()
            waits.append(time.perf_counter() - asked)
            stop.wait(REFRESH_SECONDS)

    with ThreadPoolExecutor(WATCHERS) as pool:
        watchers = [pool.submit(watch, number) for number in range(WATCHERS)]
        time.sleep(REFRESH_SECONDS)
        before, started = process.cpu_times(), time.monotonic()
        time.sleep(seconds)
        after, passed = process.cpu_times(), time.monotonic() - started
        stop.set()
        for each in watchers:
            each.result()
    return (after.user + after.system - before.user - before.system) / passed, waits


if __name__ == "__main__":
    run_program(measure)
