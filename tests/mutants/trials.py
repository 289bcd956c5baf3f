"""Which test files run which lines, and whether they notice a mutant: each file in a fork, in a copy of the project."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import Coverage, CoverageData

from tests.coverage_files import is_whole
from tests.mutants.places import PROJECT, Mutant

TEST_SECONDS = 60
"""How long a test may take: a mutant may loop forever."""

MOST_PROCESSOR_SECONDS = 300
"""How much processor time the tests of a mutant may take: it may loop in a thread, which outlives its test."""

FIRST_FILES = 3
"""How many test files are tried before all the others are collected: these notice most mutants."""


@dataclass(frozen=True)
class TestFile:
    """A test file that passes: how long it takes, and the lines of each module that it runs in all its processes.

    Paths are relative to the project.
    """

    path: Path
    seconds: float
    lines: Mapping[Path, frozenset[int]]


def copy_project(root: Path) -> Path:
    unneeded = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "demo")
    return shutil.copytree(PROJECT, root / "project", ignore=unneeded)


def measure(path: Path, package: Path, copy: Path) -> TestFile | None:
    """Run a test file, and see which lines of the package it runs; None if it fails, or has only long tests."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as root:
        settings = Path(root, "settings")
        settings.write_text(
            f"[run]\nsource = {copy / package}\nparallel = true\ndata_file = {root}/data\nsigterm = true\n"
            "patch =\n    subprocess\n    _exit\n"
        )
        begin = time.monotonic()
        if run_tests([path], copy, settings) != 0:
            return None
        seconds = time.monotonic() - begin
        return TestFile(path, seconds, read_lines([each for each in Path(root).glob("data.*") if is_whole(each)], copy))


def read_lines(files: Sequence[Path], copy: Path) -> dict[Path, frozenset[int]]:
    lines: dict[Path, frozenset[int]] = {}
    for each in files:
        data = CoverageData(str(each))
        data.read()
        for name in data.measured_files():
            module = Path(name).relative_to(copy)
            lines[module] = lines.get(module, frozenset()) | frozenset(data.lines(name) or ())
    return lines


def choose_tests(mutant: Mutant, files: Sequence[TestFile]) -> list[Path]:
    """The test files that run the mutant's lines: that of its module, those of its folder, then the quick ones."""
    beside = Path("tests") / mutant.path.relative_to("bulkupdate").with_name(f"test_{mutant.path.name}")
    running = [each for each in files if each.lines.get(mutant.path, frozenset()) & mutant.lines]
    running.sort(key=lambda each: (each.path != beside, each.path.parent != beside.parent, each.seconds))
    return [each.path for each in running]


def is_noticed(mutant: Mutant, tests: Sequence[Path], copy: Path) -> bool:
    """Whether one of these test files fails with it."""
    module = copy / mutant.path
    original = module.read_bytes()
    module.write_bytes(mutant.source)
    parts = [part for part in (tests[:FIRST_FILES], tests[FIRST_FILES:]) if part]
    try:
        return any(run_tests(part, copy) != 0 for part in parts)
    finally:
        module.write_bytes(original)


def run_tests(tests: Sequence[Path], copy: Path, settings: Path | None = None) -> int:
    """Run these test files in a fork, which has loaded what is slow to load; return how it ended, 0 for well.

    `settings` are those for coverage, None not to measure.
    """
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
        os.chdir(copy)
        os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path.insert(0, str(copy))
        for name in [each for each in sys.modules if each.partition(".")[0] in ("tests", "bulkupdate")]:
            del sys.modules[name]  # what is loaded is not that of the copy
        sys.dont_write_bytecode = True
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        coverage = Coverage(config_file=str(settings)) if settings else None
        if coverage:
            coverage.start()
        options = ["-qx", "-m", "not long", "-p", "no:cacheprovider", "-o", f"timeout={TEST_SECONDS}"]
        code = pytest.main([*options, *map(str, tests)])
        if coverage:
            coverage.stop()
            coverage.save()
        os._exit(code)
    finally:
        os._exit(1)
