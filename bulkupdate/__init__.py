"""Bulk-update Sellercloud customers from a CSV or Excel file, with a result for every row."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bulkupdate.python_api.functions import check, resume, retry, run, runs, undo
    from bulkupdate.redaction import Secret
    from bulkupdate.settings import Settings

__all__ = ["Secret", "Settings", "check", "resume", "retry", "run", "runs", "undo"]

_HOMES = {"Secret": "bulkupdate.redaction", "Settings": "bulkupdate.settings"}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: pandas takes longer to load than a small command to run."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    functions = import_module("bulkupdate.python_api.functions")
    for each in ("check", "resume", "retry", "run", "runs", "undo"):
        globals()[each] = getattr(functions, each)  # `runs` is the function from now on, not the package of that name
    return globals()[name]
