"""Bulk-update Sellercloud customers from a CSV or Excel file, with a result for every row."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
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
    return getattr(import_module("bulkupdate.python_api.functions"), name)


def __dir__() -> list[str]:
    """List what is public, loaded or not, for the Tab key of a notebook."""
    return __all__


class _Package(ModuleType):
    """This package: its `runs` is the function, though importing the package of that name would replace it."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name == "runs" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
