"""A search for customers on the command line: its cost is shown first, then a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Self

from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.session import open_session, print_estimate, watch_reading
from bulkupdate.errors import InputFileError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.runs.matching.search import make_search
from bulkupdate.text import pluralize


class OptionalSession:
    """A run context that is opened when it is first needed, and closed at the end; for use in a `with` statement."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._stack = ExitStack()
        self._context: RunContext | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: Any) -> None:
        self._stack.__exit__(*reason)

    @property
    def calls(self) -> int:
        """The requests sent so far."""
        return 0 if self._context is None else self._context.client.calls

    def open(self) -> RunContext:
        """Return the context. Raises what `open_session` raises."""
        if self._context is None:
            self._context = self._stack.enter_context(open_session(self._invocation.settings))
        return self._context

    def find(self, key: Key, keys: Sequence[str]) -> FoundCustomers:
        """Show what a search of the service costs, then find customers by it."""
        return _find(self.open(), self._invocation, key, keys) if keys else FoundCustomers({})


def _find(context: RunContext, invocation: Invocation, key: Key, keys: Sequence[str]) -> FoundCustomers:
    search = make_search(context, key, keys)
    what = f"Finding {pluralize(len(keys), 'customer')} by {key.name}"
    requests = search.begin()
    if requests and not print_estimate(requests, context, invocation.console, what):
        question = "That is more than the quota has left now, so it will wait. Continue?"
        if not invocation.console.confirm(question, yes=not sys.stdin.isatty()):
            raise InputFileError(
                "The customers were not searched, so nothing was sent.",
                remedy="Run the command again later, or name a sheet with their ids: --lookup FILE.",
            )
    with watch_reading(requests, context, invocation.console, "requests") as watch:
        customers = search.run(watch, invocation.console.info)
    requests = context.client.calls
    return FoundCustomers(customers, (f"{what} took {pluralize(requests, 'request')}.", *search.notes), requests)
