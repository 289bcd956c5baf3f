"""Goal 1: the requests of runs of several kinds, as the sandbox counts them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Size, run_program
from benchmarks.program import Ended, bulkupdate
from benchmarks.sheets import FIRST_ID, change_some, count_changed, obtain_sheet
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sellercloud.auth import EARLY_SHARE
from bulkupdate.sellercloud.client import PAGE_SIZE

TOKEN_SECONDS = 1
FAULTS = {"error-503": 0.05}


@dataclass
class Service:
    """A sandbox and a state folder for the program; what the requests of one command come to."""

    sandbox: Sandbox
    folder: Path
    ended: Ended = field(init=False)

    def count(self, *arguments: object, state: str = "state") -> Mapping[str, int]:
        """Run the command; the requests it made, in all and by kind."""
        self.sandbox.reset_log()
        self.ended = bulkupdate(
            *arguments, "-o", self.folder / f"{arguments[0]}.xlsx", folder=self.folder, base_url=self.sandbox.base_url,
            retry_wait=0.01, state_dir=self.folder / state,
        )  # fmt: skip
        counts = self.sandbox.counts
        faults = counts.pop("faults")
        numbers = {name: int(str(counts[name])) for name in ("requests", "writes", "reads", "lists", "tokens")}
        return numbers | {"faults": sum(faults.values()) if isinstance(faults, dict) else 0}


def measure(size: Size, folder: Path) -> list[Figure]:
    """Once each: a count does not vary."""
    sheet, rows = obtain_sheet(folder, size.burst_rows, ".csv"), size.burst_rows
    return [*_count_nights(sheet, rows), _count_sign_ins(sheet, rows), _count_repeats(sheet, rows)]


def _count_nights(sheet: Path, rows: int) -> list[Figure]:
    """A list sent, looked up, and sent again when one row in a hundred has changed, in three ways."""
    with tempfile.TemporaryDirectory() as own, Sandbox(_options(rows)) as sandbox:
        service = Service(sandbox, Path(own))
        known = service.count("check", sheet, "--live=ids")
        first = service.count("run", sheet, "--yes")
        tonight = change_some(sheet, Path(own) / "tonight.csv")
        since_last = service.count("run", tonight, "--yes", "--since-last")
        tomorrow = change_some(sheet, Path(own) / "tomorrow.csv", "tomorrow")
        only_changes = service.count("run", tomorrow, "--yes", "--only-changes", state="other")
    changed = count_changed(rows)
    return [
        Figure(
            1,
            f"requests for {rows:,} rows",
            first["requests"],
            most=rows + 1,
            beside=f"{_say(first)}, counted by the sandbox: rows + 1",
        ),
        Figure(
            1,
            f"the same list with {changed:,} rows changed, `--since-last`",
            since_last["requests"],
            most=changed + 1,
            beside=f"{_say(since_last)}: {since_last['requests'] / changed:.3g} for each changed customer",
        ),
        Figure(
            1,
            f"the same list with {changed:,} rows changed, `--only-changes`, by another machine",
            only_changes["requests"],
            most=rows + changed + 1,
            beside=f"{_say(only_changes)}: each customer is read, as the list does not show all 23 fields. That "
            "saves no requests, but customers that have the values already are not updated",
        ),
        Figure(
            1,
            f"whether {rows:,} customers exist, `check --live=ids`",
            known["requests"],
            most=-(-rows // PAGE_SIZE) + 1,
            beside=f"{_say(known)}: {PAGE_SIZE} customers to a request",
        ),
    ]


def _count_sign_ins(sheet: Path, rows: int) -> Figure:
    with tempfile.TemporaryDirectory() as own, Sandbox(_options(rows, token_seconds=TOKEN_SECONDS)) as sandbox:
        service = Service(sandbox, Path(own))
        counts = service.count("run", sheet, "--yes")
    lives = 1 + floor(service.ended.seconds / (TOKEN_SECONDS * (1 - EARLY_SHARE)))
    return Figure(
        1,
        f"sign-ins for {rows:,} rows where a token lives {TOKEN_SECONDS} s",
        counts["tokens"],
        most=lives,
        beside=f"{_say(counts)}; the run spans {lives} lives of a token, which is renewed after {1 - EARLY_SHARE:.0%} "
        "of its life",
    )


def _count_repeats(sheet: Path, rows: int) -> Figure:
    with tempfile.TemporaryDirectory() as own, Sandbox(_options(rows, faults=FAULTS)) as sandbox:
        counts = Service(sandbox, Path(own)).count("run", sheet, "--yes")
    return Figure(
        1,
        f"requests for {rows:,} rows where one update in twenty is answered 503",
        counts["requests"],
        most=rows + 1 + counts["faults"],
        beside=f"{_say(counts)}; {counts['faults']:,} answers were a 503, each of them is one repeat",
    )


def _options(rows: int, **more: Any) -> SandboxOptions:
    return SandboxOptions(customers=rows, first_customer_id=FIRST_ID, requests_per_hour=0, **more)


def _say(counts: Mapping[str, int]) -> str:
    words = {"writes": "update", "reads": "read", "lists": "list page", "tokens": "sign-in"}
    return ", ".join(
        f"{count:,} {word}{'s' if count > 1 else ''}" for name, word in words.items() if (count := counts[name])
    )


if __name__ == "__main__":
    run_program(measure)
