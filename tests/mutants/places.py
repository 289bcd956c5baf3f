"""The places in which the program can be broken: an expression or a statement, and another one to put there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]

_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module that differs from the original in one expression or statement.

    `path` is relative to the project; one of `lines` is run where the changed code is.
    """

    path: Path
    lines: frozenset[int]
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


def walk(node: ast.AST, statement: int = 1) -> Iterator[tuple[ast.AST, int]]:
    """Yield each node with the line where its statement begins.

    Without decorators, annotations, and parts of f-strings: Python 3.11 gets their places wrong. Nor with the `strict`
    of a `zip`, which only asserts what always holds.
    """
    statement = node.lineno if isinstance(node, ast.stmt) else statement
    yield node, statement
    skipped = ("decorator_list", "annotation", "returns")
    for name, value in ast.iter_fields(node):
        if name not in skipped and not isinstance(node, ast.JoinedStr):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not (_is_zip(node) and isinstance(child, ast.keyword)):
                    yield from walk(child, statement)


def _is_zip(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"


def find_mutants(path: Path) -> Iterator[Mutant]:
    text = path.read_bytes()
    ends = [0]
    for line in text.splitlines(keepends=True):
        ends.append(ends[-1] + len(line))
    for node, statement in walk(ast.parse(text)):
        if isinstance(node, ast.expr | ast.stmt) and (new := mutate(node)) is not None:
            begin = ends[node.lineno - 1] + node.col_offset
            end = ends[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            after = ast.unparse(ast.fix_missing_locations(new))
            put = f"({after})" if isinstance(new, ast.expr) else after
            source = text[:begin] + put.encode() + text[end:]
            lines = frozenset({statement, *range(node.lineno, (node.end_lineno or node.lineno) + 1)})
            yield Mutant(path.relative_to(PROJECT), lines, node.lineno, ast.unparse(node), after, source)
