"""The sandbox imitates the service independently of the program: it may import these modules, and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import bulkupdate.sandbox

ALLOWED = {
    "bulkupdate.clock", "bulkupdate.errors", "bulkupdate.network", "bulkupdate.customers.field_types",
    "bulkupdate.customers.fields", "bulkupdate.customers.list_filters", "bulkupdate.customers.value_types",
}  # fmt: skip


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} has a relative import"
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_the_sandbox_imports_the_field_table_and_ground_modules_only() -> None:
    used = {name for path in Path(bulkupdate.sandbox.__path__[0]).glob("*.py") for name in imports_of(path)}
    own = {name for name in used if name.startswith("bulkupdate") and not name.startswith("bulkupdate.sandbox")}
    assert own == ALLOWED
