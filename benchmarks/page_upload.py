"""Goal 17: a large sheet on the upload page, from the upload to the plan, beside `check` of it in the terminal."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.program import bulkupdate
from benchmarks.sheets import FIRST_ID, obtain_sheet
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.served import PASSWORD, FreshServer, Visitor


def measure(size: Size, folder: Path) -> list[Figure]:
    """The server has been running for a while, as servers do; `check` is a process of its own, from its start."""
    sheet = obtain_sheet(folder, size.sheet_rows, ".xlsx")
    options = SandboxOptions(customers=10, first_customer_id=FIRST_ID, password=PASSWORD)
    with (
        tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as own,
        Sandbox(options) as sandbox,
        FreshServer(sandbox.base_url, Path(own) / "server") as server,
    ):
        visitor, content = Visitor(server.url, "sandbox"), sheet.read_bytes()

        def upload() -> float:
            started = time.perf_counter()
            page = visitor.upload(sheet.name, content)
            seconds = time.perf_counter() - started
            assert "/start" in page.text, "the page shows no plan"
            return seconds

        upload()
        seconds = interleave(
            size.repeats,
            {"page": upload, "check": lambda: bulkupdate("check", sheet, folder=Path(own)).seconds},
        )
    return [
        Figure(
            17,
            f"upload page, from the upload to the plan ÷ `check`, {size.sheet_rows:,} rows × 24, .xlsx",
            seconds["page"] / seconds["check"],
            most=1.3,
            beside=f"page {seconds.say('page')}, `check` {seconds.say('check')}",
            limit="The page keeps the rows and their problems on disk, to show them and to create the run from them.",
        )
    ]


if __name__ == "__main__":
    run_program(measure)
