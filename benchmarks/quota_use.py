"""Goal 4: how much of the quota is used when there is more to send than it allows; the hour scaled to seconds."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import requests

from benchmarks.figures import Figure, Points, Size, run_program
from benchmarks.sending import add_run, make_settings, send_run
from benchmarks.sheets import FIRST_ID, list_bodies
from bulkupdate.clock import Clock
from bulkupdate.errors import InterruptedRunError
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sellercloud.client import open_client

CONCURRENCY, HOURLY = 8, 10_800
LATENCY_SECONDS = 0.05
"""Scaled down as the hour is. A window loses about one latency, as a slot counts from the end of its request: of an
hour that is nothing, of a few seconds it shows."""
PACED_LATENCY_SECONDS = 0.2
ALLOWED_A_SECOND = HOURLY / 3600
PACE_SCALE = 10
"""The scaled quota is denser than the real one, so that there are enough requests to count."""


def measure(size: Size, _folder: Path) -> list[Figure]:
    """Several windows in a row are as many measurements."""
    window = size.window_seconds
    limit = round(ALLOWED_A_SECOND * window * PACE_SCALE)
    with Sandbox(_options(limit, window)) as sandbox:
        paced = _Paced(min(10.0, 4 * window))
        paced.start()
        _send(sandbox, limit, window, size.windows)
        paced.join()
        times = [each.at for each in sandbox.requests if not each.is_throttled]
        throttled = int(str(sandbox.counts["throttled"]))
    starts = times[::limit]
    shares = [window / (after - before) for before, after in pairwise(starts)]
    used = window * len(shares) / (starts[-1] - starts[0])
    return [
        Figure(
            4,
            f"share of the quota used, {limit:,} requests in {window:g} s, {len(shares)} windows",
            used,
            least=0.99,
            beside=f"windows: {', '.join(f'{each:.4f}' for each in shares)}; {paced.describe()}",
            series={"quota of this tool": _draw(times, limit, window)},
        ),
        Figure(4, "throttle answers of a sandbox that judges by the same rolling window", throttled, most=0),
        Figure(
            4,
            "share of a window in which its whole quota was sent (a burst, not a pace)",
            (times[limit - 1] - times[0]) / window,
            beside=f"the first {limit:,} requests of the run",
        ),
    ]


def _options(limit: int, window: float) -> SandboxOptions:
    return SandboxOptions(
        customers=100_000,
        first_customer_id=FIRST_ID,
        requests_per_hour=limit,
        window_seconds=window,
        latency_seconds=LATENCY_SECONDS,
    )


def _send(sandbox: Sandbox, limit: int, window: float, windows: int) -> None:
    """Send more than the windows allow, and stop when the burst after the last has begun."""
    clock, stop = Clock(), threading.Event()
    with tempfile.TemporaryDirectory() as own:
        settings = make_settings(sandbox.base_url, Path(own), CONCURRENCY, requests_per_hour=limit)
        client = open_client(settings, clock, stop, window_seconds=window)
        with Journal(Path(own), clock) as journal:
            run = add_run(journal, limit * (windows + 1))
            watcher = threading.Thread(target=_stop_after, args=(sandbox, limit * windows + 1, stop))
            watcher.start()
            try:
                client.sign_in()
                send_run(run, journal, client, settings, stop)
            except InterruptedRunError:
                pass  # as asked
            finally:
                stop.set()
                watcher.join()
                client.close()


def _stop_after(sandbox: Sandbox, requests_seen: int, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        if int(str(sandbox.counts["requests"])) >= requests_seen:
            stop.set()


def _draw(times: Sequence[float], limit: int, window: float) -> Points:
    """Allowances spent (1 = one window's) by windows passed."""
    step = max(1, limit // 40)
    return [((times[at] - times[0]) / window, (at + 1) / limit) for at in range(0, len(times), step)]


class _Paced(threading.Thread):
    """What a sleep between requests reaches, one request after the other: measured beside the run, at the real pace."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._share = 0.0

    def run(self) -> None:
        options = SandboxOptions(first_customer_id=FIRST_ID, requests_per_hour=0, latency_seconds=PACED_LATENCY_SECONDS)
        with Sandbox(options) as sandbox, requests.Session() as session:
            answer = session.post(f"{sandbox.base_url}/token", json={"Username": "sandbox", "Password": "sandbox"})
            session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            session.headers["Content-Type"] = "application/json"
            started, count = time.monotonic(), 0
            for customer_id, body in list_bodies(200):
                if time.monotonic() - started >= self._seconds:
                    break
                session.put(f"{sandbox.base_url}/Customers/{customer_id}", data=body, timeout=30).raise_for_status()
                time.sleep(1 / ALLOWED_A_SECOND)
                count += 1
            self._share = count / (time.monotonic() - started) / ALLOWED_A_SECOND

    def describe(self) -> str:
        return (
            "a sleep of a third of a second between requests of 200 ms, measured for "
            f"{self._seconds:.0f} s at the real pace: {self._share:.2f}"
        )


if __name__ == "__main__":
    run_program(measure)
