"""Check, for a number of minutes, what must hold for any sheet; stop at the first difference and say how to repeat it.

1. A table gives the same rows, bodies and problems as CSV and as a workbook.
2. No id with anything but ASCII digits is ever sent.
3. A damaged file ends in rows, problems or one of our errors, in reasonable time.
4. Given back unchanged, a to-fix file sends no row that was refused.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from bulkupdate.customers.models import ResultLine, Status
from bulkupdate.errors import BulkUpdateError
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.to_fix_sheet import write_to_fix
from tests.fuzz.sheets import damage, make_table, write_csv, write_typed_workbook, write_workbook

SLOW_SECONDS = 30.0


def load(path: Path) -> CheckedInput | str:
    """Return the checked file, or the sentence it is refused with."""
    try:
        return load_input_file(path, Settings(), SheetOptions())
    except BulkUpdateError as error:
        return str(error).replace(path.name, "FILE")


def summarise(loaded: CheckedInput | str) -> object:
    """Return what must be the same for every format: rows with their bodies, and problems."""
    if isinstance(loaded, str):
        return loaded
    rows = [(row.number, row.customer_id, row.status, row.body) for row in loaded.checked.rows()]
    return rows, sorted((problem.row, problem.column, str(problem.code)) for problem in loaded.checked.problems)


def check_seed(seed: int, folder: Path) -> str:
    """Return what is wrong with the sheets of this seed; empty if nothing is."""
    rng = random.Random(seed)
    table = make_table(rng)
    text, workbook = folder / "a.csv", folder / "a.xlsx"
    write_csv(rng, table, text)
    write_workbook(table, workbook)
    loaded = load(text)
    as_text, as_workbook = summarise(loaded), summarise(load(workbook))
    if as_text != as_workbook:
        return f"CSV and workbook differ:\n  {as_text}\n  {as_workbook}"
    if not isinstance(loaded, str):
        if bad := find_bad_id(loaded):
            return f"id {bad!r} would be sent"
        if sent := give_back(loaded, folder / "to-fix.xlsx"):
            return f"rows {sent} were refused, and are sent when the to-fix file is given back"
    return check_typed(rng, folder / "typed.xlsx", folder) or check_damaged(rng, rng.choice((text, workbook)))


def check_typed(rng: random.Random, path: Path, folder: Path) -> str:
    """Give back the refused rows of a workbook of numbers, formulas and error cells."""
    write_typed_workbook(rng, path)
    loaded = load(path)
    if isinstance(loaded, str):
        return ""
    sent = give_back(loaded, folder / "typed-to-fix.xlsx")
    return f"rows {sent} of the typed workbook were refused, and are sent when given back" if sent else ""


def find_bad_id(loaded: CheckedInput) -> str:
    """Return an id that would be sent though it is not one; empty if there is none."""
    ids = (row.customer_id for row in loaded.checked.rows() if row.status is Status.NOT_ATTEMPTED)
    return next((customer_id for customer_id in ids if not re.fullmatch("[1-9][0-9]*", customer_id, re.ASCII)), "")


def give_back(loaded: CheckedInput, path: Path) -> list[str]:
    """Return the ids of the refused rows that the to-fix file, unchanged, would send."""
    refused = [row for row in loaded.checked.rows() if row.status is Status.INVALID]
    if not refused:
        return []
    lines = (
        ResultLine(row.number, row.customer_id, row.status, None, 0, (), row.reason, "", row.original)
        for row in refused
    )
    write_to_fix(path, loaded.checked.original_headings, lines)
    again = load(path)
    if isinstance(again, str):
        return []
    return [row.customer_id for row in again.checked.rows() if row.status is Status.NOT_ATTEMPTED]


def check_damaged(rng: random.Random, path: Path) -> str:
    """Damage the file and read it: any exception that is not ours, and any long wait, is wrong."""
    damage(rng, path)
    start = time.monotonic()
    loaded = load(path)
    bad = "" if isinstance(loaded, str) else find_bad_id(loaded)
    if time.monotonic() - start > SLOW_SECONDS:
        return "reading the damaged file took too long"
    return f"id {bad!r} of a damaged file would be sent" if bad else ""


def run(seconds: float, first_seed: int) -> int:
    """Check one seed after the other; return how many. Raises `AssertionError` at the first difference."""
    end, seed = time.monotonic() + seconds, first_seed
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            difference = check_seed(seed, Path(folder))
            if difference:
                raise AssertionError(f"seed {seed}: {difference}\nRepeat: python -m tests.fuzz --seed {seed}")
            seed += 1
    return seed - first_seed


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=None, help="check this seed alone")
    parser.add_argument("--first-seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    if arguments.seed is not None:
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(check_seed(arguments.seed, Path(folder)) or None)
    count = run(arguments.minutes * 60, arguments.first_seed)
    print(f"{count:,} seeds from {arguments.first_seed}: no difference")


if __name__ == "__main__":
    main()
