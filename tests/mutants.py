"""Break the program in one place at a time, and see whether the tests of that package notice: `make mutants`.

docs/decisions.md says why no tool is used for it. The survivors are printed; a person decides which of them change
nothing that could be noticed.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGES = ("customers", "sellercloud", "runs", "spreadsheets/reading", "nightly")
WORKERS = 2
TEST_SECONDS = 60
SLOW_IMPORTS = ("hypothesis", "openpyxl", "pandas", "pandera.pandas", "pyarrow", "requests", "flask", "waitress")

_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module that differs from the original in one expression or statement. `path` is relative to the project."""

    path: Path
    line: int
    before: str
    after: str
    source: bytes


def mutate(node: ast.AST) -> ast.expr | ast.stmt | None:
    """Another node to put in its place; None if there is none worth trying."""
    match node:
        case ast.Compare(left=left, ops=[first, *rest], comparators=others) if type(first) in _OTHER:
            return ast.Compare(left, [_OTHER[type(first)](), *rest], others)  # type: ignore[list-item]
        case ast.BoolOp(op=op, values=values):
            return ast.BoolOp(_OTHER[type(op)](), values)  # type: ignore[arg-type]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OTHER:
            return ast.BinOp(left, _OTHER[type(op)](), right)  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Constant(value=bool() as value):
            return ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            return ast.Constant(value + 1)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return ast.IfExp(test, orelse, body)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            return ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Continue():
            return ast.Pass()
    return None


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Like `ast.walk`, without decorators, annotations, and parts of f-strings: Python 3.11 gets their places wrong."""
    yield node
    skipped = ("decorator_list", "annotation", "returns")
    for name, value in ast.iter_fields(node):
        if name not in skipped and not isinstance(node, ast.JoinedStr):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child)


def find_mutants(path: Path) -> Iterator[Mutant]:
    text = path.read_bytes()
    ends = [0]
    for line in text.splitlines(keepends=True):
        ends.append(ends[-1] + len(line))
    for node in walk(ast.parse(text)):
        if isinstance(node, ast.expr | ast.stmt) and (new := mutate(node)) is not None:
            begin = ends[node.lineno - 1] + node.col_offset
            end = ends[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            after = ast.unparse(ast.fix_missing_locations(new))
            put = f"({after})" if isinstance(new, ast.expr) else after
            source = text[:begin] + put.encode() + text[end:]
            yield Mutant(path.relative_to(PROJECT), node.lineno, ast.unparse(node), after, source)


def copy_project(root: Path) -> Path:
    unneeded = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "demo")
    return shutil.copytree(PROJECT, root / "project", ignore=unneeded)


def is_noticed(mutant: Mutant, package: str, copy: Path) -> bool:
    """Whether the tests fail: first those of the module, then those of the package."""
    module = copy / mutant.path
    original = module.read_bytes()
    module.write_bytes(mutant.source)
    of_module = copy / "tests" / mutant.path.relative_to("bulkupdate").with_name(f"test_{mutant.path.name}")
    try:
        return any(do_tests_fail(each, copy) for each in (of_module, copy / "tests" / package) if each.exists())
    finally:
        module.write_bytes(original)


def do_tests_fail(tests: Path, copy: Path) -> bool:
    """Run these tests in a fork, which has loaded what is slow to load."""
    if child := os.fork():
        return os.waitpid(child, 0)[1] not in (0, 5 << 8)  # 5: there are no such tests
    try:
        os.chdir(copy)
        os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path.insert(0, str(copy))
        for name in [each for each in sys.modules if each.partition(".")[0] == "tests"]:
            del sys.modules[name]  # this module and its package are not those of the copy
        sys.dont_write_bytecode = True
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        options = ["-qx", "-m", "not long", "-p", "no:cacheprovider", "-o", f"timeout={TEST_SECONDS}"]
        os._exit(pytest.main([*options, str(tests)]))
    finally:
        os._exit(1)


def work(package: str, mutants: list[Mutant], end: float, answers: int) -> None:
    """Try these mutants until the time is over; say of each whether it was noticed."""
    with tempfile.TemporaryDirectory() as root:
        copy = copy_project(Path(root))
        if do_tests_fail(copy / "tests" / package, copy):
            os.write(answers, b"  nothing can be said, as the tests fail without a mutant, too\n")
            return
        for mutant in mutants:
            if time.monotonic() > end:
                return
            noticed = is_noticed(mutant, package, copy)
            told = "" if noticed else f"  {mutant.path}:{mutant.line}: {mutant.before!r} as {mutant.after!r}"
            os.write(answers, f"{told}\n".encode())


def try_package(package: str, seconds: float, chance: random.Random) -> Counter[bool]:
    """Try mutants in random order until the time is over; print the survivors, and return how many were noticed."""
    paths = sorted((PROJECT / "bulkupdate" / package).rglob("*.py"))
    mutants = [mutant for path in paths for mutant in find_mutants(path)]
    chance.shuffle(mutants)
    read, write = os.pipe()
    for number in range(WORKERS):
        if os.fork() == 0:
            try:
                os.close(read)
                work(package, mutants[number::WORKERS], time.monotonic() + seconds, write)
            finally:
                os._exit(0)
    os.close(write)
    found = Counter[bool]()
    with os.fdopen(read, encoding="utf-8") as answers:
        for line in answers:
            found[is_noticed := line == "\n"] += 1
            if not is_noticed:
                print(line, end="", flush=True)
    for _ in range(WORKERS):
        os.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    parser.add_argument("--minutes", type=float, default=30, help="for all packages together")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in SLOW_IMPORTS:
        with suppress(ImportError):
            __import__(name)
    for package in given.packages:
        print(f"bulkupdate/{package}: survivors", flush=True)
        found = try_package(package, given.minutes * 60 / len(given.packages), random.Random(given.seed))
        print(f"bulkupdate/{package}: {found[True]} of {found.total()} mutants were noticed", flush=True)


if __name__ == "__main__":
    main()
