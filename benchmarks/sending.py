"""Rows on their way out, without a sheet: this tool's run with its journal, and what it is compared with."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from benchmarks.delayed_server import serve_delayed
from benchmarks.figures import Figure, interleave
from benchmarks.sheets import list_bodies
from bulkupdate.clock import Clock
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import NewRun, Run, RunOptions
from bulkupdate.runs.sending.sender import Batch
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings

HEADINGS = ("CustomerId", "Name", "Email")


@dataclass(frozen=True)
class Sent:
    """A sending of rows. `cpu_seconds` is the time of this process alone."""

    rows: int
    seconds: float
    cpu_seconds: float


def time_sending(rows: int, work: Callable[[], object]) -> Sent:
    """Do it and see how long it takes."""
    started, cpu_started = time.perf_counter(), time.process_time()
    work()
    return Sent(rows, time.perf_counter() - started, time.process_time() - cpu_started)


def send_with_ours(base_url: str, rows: int, concurrency: int, database: Secret = Secret("")) -> Sent:  # noqa: B008 - immutable
    """A run with journal and quota in a new folder, or in a new database; from after the sign-in to the last row."""
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as folder:
        settings = replace(make_settings(base_url, Path(folder), concurrency), database=database)
        clock, stop = Clock(), threading.Event()
        client = open_client(settings, clock, stop)
        with Journal(settings.store, clock) as journal:
            run = add_run(journal, rows)
            client.sign_in()
            sent = time_sending(rows, lambda: send_run(run, journal, client, settings, stop))
            updated = journal.tally(run)[Status.UPDATED]
        client.close()
    if updated != rows:
        raise RuntimeError(f"{updated} of {rows} rows were updated")
    return sent


def make_settings(base_url: str, folder: Path, concurrency: int, requests_per_hour: int = 10_800) -> Settings:
    """The settings of a run; all others as they are by default."""
    return Settings(
        base_url=base_url,
        username="sandbox",
        password=Secret("sandbox"),
        state_dir=folder,
        concurrency=concurrency,
        requests_per_hour=requests_per_hour,
    )


def add_run(journal: Journal, rows: int) -> Run:
    """A run of so many small rows, written down and not begun."""
    checked = (
        CheckedRow(number, customer_id, Status.NOT_ATTEMPTED, body, HEADINGS[1:], (customer_id, "", ""))
        for number, (customer_id, body) in enumerate(list_bodies(rows), start=2)
    )
    new = NewRun(
        "benchmark", "none.csv", "0" * 64, "localhost", "sandbox", HEADINGS, RunOptions(), {}, "none.xlsx", parent=None
    )
    return journal.add_run(new, checked)


def send_run(run: Run, journal: Journal, client: Client, settings: Settings, stop: threading.Event) -> None:
    """What `runs/sending/runner.py` does between sign-in and results."""
    Batch(
        run=run,
        journal=journal,
        client=client,
        clock=Clock(),
        stop=stop,
        concurrency=settings.concurrency,
        max_failures=settings.max_failures,
        verify=False,
        watch=lambda _outcomes, _waiting: None,
    ).send(journal.pending(run))


def send_with_requests(base_url: str, rows: int, concurrency: int, *, with_tenacity: bool) -> Sent:
    """Threads with a `requests.Session` each, and nothing else: no journal, no quota, no sign-in."""
    bodies = list_bodies(rows)
    local = threading.local()

    def put(each: tuple[str, str]) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        customer_id, body = each
        headers = {"Authorization": "Bearer none", "Content-Type": "application/json"}
        answer = local.session.put(f"{base_url}/Customers/{customer_id}", data=body, headers=headers, timeout=30)
        answer.raise_for_status()

    tries = retry(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(5),
        wait=wait_exponential_jitter(1, 60),
    )
    work: Any = tries(put) if with_tenacity else put
    with ThreadPoolExecutor(concurrency) as pool:
        return time_sending(rows, lambda: list(pool.map(work, bodies)))


def measure_share(
    goal: int, rows: int, latency_seconds: float, concurrency: int, least: float, repeats: int
) -> list[Figure]:
    """How fast rows are sent, as a share of what bare threads reach in the same program."""
    ideal = rows * latency_seconds / concurrency
    cpu: list[float] = []

    def ours(base_url: str) -> float:
        sent = send_with_ours(base_url, rows, concurrency)
        cpu.append(sent.cpu_seconds / rows * 1000)
        return ideal / sent.seconds

    def theirs(base_url: str) -> float:
        return ideal / send_with_requests(base_url, rows, concurrency, with_tenacity=False).seconds

    with serve_delayed(latency_seconds) as base_url:
        contenders = {"this tool": lambda: ours(base_url), "bare `requests` threads": lambda: theirs(base_url)}
        shares = interleave(repeats, contenders)
    said = ", ".join(f"{name} {shares.say(name, '')}" for name in contenders)
    return [
        Figure(
            goal,
            f"sending ÷ bare `requests` threads, {latency_seconds * 1000:.0f} ms × {concurrency}, {rows:,} rows",
            shares["this tool"] / shares["bare `requests` threads"],
            least=least,
            beside=f"share of rows × latency ÷ concurrency: {said}; processor time {median(cpu):.2f} ms a PUT",
            limit="The first row goes alone, to see that the service is there, which costs one latency; the most "
            f"that leaves is {1 / (1 + concurrency / rows) / shares['bare `requests` threads']:.3f}. A slot is free "
            "again only when its answer is committed, so that no more rows than are in flight can be sent twice after "
            "a kill: two changes of thread and a commit for each row, where bare threads just go on. What the machine "
            "does beside adds to each of these.",
        )
    ]
