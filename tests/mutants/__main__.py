"""Break the program in one place at a time, and see whether the tests of that package notice: `make mutants`.

docs/decisions.md says why no tool is used for it. The survivors are printed; a person decides which of them change
nothing that could be noticed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from tests.mutants.places import PROJECT, Mutant, find_mutants
from tests.mutants.trials import TestFile, choose_tests, copy_project, is_noticed, measure

PACKAGES = ("customers", "sellercloud", "runs", "spreadsheets/reading", "nightly")
MEMORY = Path("/dev/shm")  # not that of `tests.conftest`, which loads the program from here instead of from a copy
SLOW_IMPORTS = ("hypothesis", "openpyxl", "pandas", "pandera.pandas", "pyarrow", "requests", "flask", "waitress")


class Place:
    """The copy of the project that a process of the pool works in."""

    copy: Path


def begin_process(root: Path) -> None:
    Place.copy = copy_project(Path(tempfile.mkdtemp(dir=root)))


def measure_file(package: str, path: Path) -> TestFile | None:
    return measure(path, Path("bulkupdate", package), Place.copy)


def try_mutant(end: float, task: tuple[Mutant, Sequence[Path]]) -> tuple[Mutant, bool, int] | None:
    """Return the mutant, whether it was noticed, and how many test files run it; None when the time is over."""
    mutant, tests = task
    if time.monotonic() > end:
        return None
    return mutant, is_noticed(mutant, tests, Place.copy), len(tests)


def measure_package(package: str, pool: Pool) -> list[TestFile]:
    """Run each test file of the package; say which ones fail without a mutant, too: they take no part."""
    paths = [path.relative_to(PROJECT) for path in sorted((PROJECT / "tests" / package).rglob("test_*.py"))]
    measured = pool.map(partial(measure_file, package), paths, chunksize=1)
    for path, found in zip(paths, measured, strict=True):
        if found is None:
            print(f"  {path} takes no part: without a mutant it fails, too, or has no test", flush=True)
    return [each for each in measured if each is not None]


def try_package(package: str, seconds: float, chance: random.Random, pool: Pool) -> None:
    """Try mutants in random order until the time is over; print the survivors, and how many were noticed."""
    end = time.monotonic() + seconds
    print(f"bulkupdate/{package}: survivors", flush=True)
    files = measure_package(package, pool)
    mutants = [each for path in sorted((PROJECT / "bulkupdate" / package).rglob("*.py")) for each in find_mutants(path)]
    chance.shuffle(mutants)
    tasks = ((each, choose_tests(each, files)) for each in mutants)
    noticed = survived = 0
    for answer in pool.imap_unordered(partial(try_mutant, end), tasks):
        if answer is None:
            continue
        mutant, is_seen, count = answer
        noticed += is_seen
        survived += not is_seen
        if not is_seen:
            print(
                f"  {mutant.path}:{mutant.line}: {mutant.before!r} as {mutant.after!r} ({count} test files run it)",
                flush=True,
            )
    tried = noticed + survived
    print(
        f"bulkupdate/{package}: {noticed} of {tried} mutants were noticed, of {len(mutants)} possible ones", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    parser.add_argument("--minutes", type=float, default=30, help="for all packages together")
    parser.add_argument("--seed", type=int, default=0, help="another number tries other places")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    given = parser.parse_args()
    for name in SLOW_IMPORTS:
        with suppress(ImportError):
            __import__(name)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as root:
        context = multiprocessing.get_context("fork")
        with context.Pool(given.workers, begin_process, (Path(root),)) as pool:
            for package in given.packages:
                try_package(package, given.minutes * 60 / len(given.packages), random.Random(given.seed), pool)


if __name__ == "__main__":
    main()
