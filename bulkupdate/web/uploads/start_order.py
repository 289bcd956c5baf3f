"""How a checked sheet is to be sent: the choices on its page, and the run that is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.errors import LimitExceededError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.guards import Excess, PlannedChanges, count_changes, find_excess
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.runs.new_run import create_run
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.runs.sending.selection import Selection, make_selection
from bulkupdate.settings import Settings
from bulkupdate.web.uploads.check_outcome import CheckOutcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.upload_store import RESULTS, Upload

CANARY_ROWS = 5
"""The customers that are sent and read back first, if the user asks for that."""

LARGE_CUSTOMERS = 1_000
"""From this many customers on, the user confirms their number with a tick."""

CHEAP_QUOTA_MINUTES = 5
"""What costs less of the quota than this is the default, if it makes a run safer."""

_LIMIT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True)
class StartOrder:
    """What the user has chosen. `max_changes` and `max_clears` are limits for this sheet only, besides the settings'.

    `is_limit_lifted`: the limits of the settings do not count this time.
    """

    options: RunOptions
    max_changes: ChangeLimit = field(default_factory=ChangeLimit)
    max_clears: ChangeLimit = field(default_factory=ChangeLimit)
    is_limit_lifted: bool = False

    @classmethod
    def read(cls, form: Mapping[str, str], outcome: CheckOutcome) -> Self:
        """Return the choices in a form. Raises `ValueError` with a sentence if a number is not one."""
        limit = form.get("limit", "").strip()
        if limit and not _LIMIT.fullmatch(limit):
            raise ValueError("“Send at most” is not a whole number. Leave it blank to send all.")
        options = RunOptions(
            skip_invalid=outcome.invalid > 0,
            canary=CANARY_ROWS if "canary" in form else 0,
            limit=int(limit) if limit else None,
            verify="verify" in form,
            snapshot="snapshot" in form,
            only_changes="only_changes" in form,
            since_last="since_last" in form,
        )
        limits = {name: _read_limit(form.get(name, "")) for name in ("max_changes", "max_clears")}
        return cls(options, **limits, is_limit_lifted="beyond_limit" in form)

    @property
    def is_selective(self) -> bool:
        """Whether rows may be left out before the run begins, so that what changes is known only then."""
        return self.options.only_changes or self.options.since_last

    def find_excess(self, changes: PlannedChanges, settings: Settings) -> Excess | None:
        """Return how these changes exceed a limit; None if they may be sent."""
        own = find_excess(changes, self.max_changes, self.max_clears)
        return own or (
            None if self.is_limit_lifted else find_excess(changes, settings.max_changes, settings.max_clears)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the order as it is kept until its time."""
        return {**asdict(self), "options": self.options.to_json(), "limit": self.options.limit}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the order that was kept. Raises `KeyError`, `TypeError` or `ValueError` if it is none."""
        options = RunOptions(**{**asdict(RunOptions.from_json(kept["options"])), "limit": kept["limit"]})
        limits = {name: ChangeLimit(kept[name]) for name in ("max_changes", "max_clears")}
        return cls(options, **limits, is_limit_lifted=bool(kept["is_limit_lifted"]))


def _read_limit(text: str) -> ChangeLimit:
    try:
        return ChangeLimit(text.strip())
    except ValueError:
        raise ValueError("A limit is a number, such as 500, or a percentage of the rows, such as 20%.") from None


def begin_run(
    order: StartOrder, stored: Upload, outcome: CheckOutcome, context: RunContext, watch: WatchReading
) -> None:
    """Select the rows and write the run into the journal. Raises `LimitExceededError` if a limit refuses them.

    Raises what the client raises, and `JournalError`.
    """
    selection = make_selection(StoredCheck(stored.path, stored.name, outcome), context, order.options, watch)
    if excess := order.find_excess(_count_changes(selection, order, context.settings), context.settings):
        raise LimitExceededError(excess.message)
    create_run(context, stored.id, selection, order.options, stored.folder / RESULTS)


def _count_changes(selection: Selection, order: StartOrder, settings: Settings) -> PlannedChanges:
    """Count what would change, unless there is no limit to compare it with."""
    limits = (order.max_changes, order.max_clears, settings.max_changes, settings.max_clears)
    return count_changes(selection.rows()) if any(limits) else PlannedChanges()
