"""Goal 16: customers found by e-mail: the requests of a search, and the processor time it takes besides."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.program import Ended, bulkupdate, python
from benchmarks.sheets import FIRST_ID
from bulkupdate.sandbox.fake_customers import make_customer
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sellercloud.client import PAGE_SIZE

SEED = 1
FEW = 10
"""Rows for which the filter is cheaper than the list."""


def measure(size: Size, _folder: Path) -> list[Figure]:
    """Requests are counted once, as a count does not vary; processor time is measured in turns."""
    customers, rows = size.searched_customers, size.searched_customers // 10
    pages = -(-customers // PAGE_SIZE)
    options = SandboxOptions(customers=customers, first_customer_id=FIRST_ID, seed=SEED, requests_per_hour=0)
    with TemporaryDirectory() as own, Sandbox(options) as sandbox:
        folder = Path(own)
        many, many_requests = _search(sandbox, folder / "many", rows, step=7)
        _few, few_requests = _search(sandbox, folder / "few", FEW, step=3)
        before = sandbox.counts["requests"]
        sheet = folder / "many" / "sheet.csv"
        bulkupdate("match", sheet, "--key", "Email", "--force", folder=sheet.parent, base_url=sandbox.base_url)
        again = int(str(sandbox.counts["requests"])) - int(str(before))
        seconds = interleave(
            size.repeats,
            {
                "match": lambda: _search(sandbox, Path(mkdtemp(dir=folder)) / "new", rows, step=7)[0].cpu_seconds,
                "bare": lambda: python("-m", "benchmarks.bare_pages", sandbox.base_url, pages).cpu_seconds,
            },
        )
    return [
        Figure(
            16,
            f"requests to find {rows:,} rows by e-mail among {customers:,} customers",
            many_requests,
            most=min(rows, pages) + 1,
            beside=f"{pages:,} pages of the list, 1 sign-in",
        ),
        Figure(
            16,
            f"requests to find {FEW} rows by e-mail among {customers:,} customers",
            few_requests,
            most=min(FEW, pages) + 2,
            beside=f"{FEW} filtered requests, 1 page to count the customers, 1 sign-in",
        ),
        Figure(16, "requests of the same search again", again, most=0),
        Figure(
            16,
            f"own processor time of `match`, {rows:,} rows among {customers:,} customers",
            seconds["match"] - seconds["bare"],
            " s",
            most=2.0,
            beside=f"{seconds.say('match')} for the whole command with its start, less {seconds.say('bare')} that bare "
            f"`requests` in threads takes for the same pages; {many.seconds:.1f} s by the clock",
            limit="Beyond bare `requests`: loading pandas, a commit for nearly every page as its answer arrives, each "
            "request's quota, retries and threads, and comparing every customer.",
        ),
    ]


def _search(sandbox: Sandbox, folder: Path, rows: int, *, step: int) -> tuple[Ended, int]:
    """Find the customers of so many rows, each a few customers after the one before; return the requests as well."""
    folder.mkdir()
    with (folder / "sheet.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Email", "Comments"))
        emails = (str(make_customer(SEED, FIRST_ID + row * step)["Email"]) for row in range(rows))
        writer.writerows((email.upper(), "found") for email in emails)
    before = int(str(sandbox.counts["requests"]))
    ended = bulkupdate(
        "match", folder / "sheet.csv", "--key", "Email", folder=folder, base_url=sandbox.base_url, requests_per_hour=0
    )
    if ended.exit_code:
        raise RuntimeError(f"not every row was found: {ended.err[-2000:]}")
    return ended, int(str(sandbox.counts["requests"])) - before


if __name__ == "__main__":
    run_program(measure)
