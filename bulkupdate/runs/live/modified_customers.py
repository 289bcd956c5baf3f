"""Find the customers that others have modified, by asking the service's list: fifty with a request.

The list has everyone who was modified between two times, by this program too, but not when (`docs/api.md`, section
Filters). So each minute in which updates were sent is asked for on its own: if a customer was last modified in the
minute of its update, nobody else has modified it since.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from bulkupdate.clock import format_utc, parse_utc
from bulkupdate.errors import UnreadableListError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.confirmed_values import Confirmation
from bulkupdate.runs.live.fetch import WatchReading, quietly
from bulkupdate.runs.parallel_requests import run_parallel
from bulkupdate.sellercloud.client import PAGE_SIZE

MARGIN_SECONDS = 60.0
"""How much earlier than wanted the service is asked from: its dates may lack seconds. The probe tries the same."""
SETTLED_SECONDS = 5.0
"""How long after an update a modification still counts as that update, as clocks are not compared more closely."""
_STRETCH_SECONDS = 60.0
_DAY_SECONDS = 86_400.0
_FEW_WINDOWS = 3
_ATTEMPTS = 3

_Window = tuple[float, float]
"""Its first and last second, the latter infinite if it is open."""


def find_modified(context: RunContext, known: Mapping[str, Confirmation], watch: WatchReading) -> frozenset[str]:
    """Return those of these customers that others may have modified since their values were known to be right.

    Raises `UnreadableListError` if the list is incomplete, and what the client raises.
    """
    context.client.sign_in()  # its answer tells the service's time
    ends = _find_stretch_ends(parse_utc(each.known_at) for each in known.values() if each.is_sent)
    now = context.client.pipeline.service_time(context.clock.now())
    certain = {}
    for customer_id, confirmation in known.items():
        at = parse_utc(confirmation.known_at)
        end = ends[at] if confirmation.is_sent else math.inf
        certain[customer_id] = end if end < now else min(at, now) - MARGIN_SECONDS
    start = _find_start(sorted(certain.values()))
    starts = sorted({start, *(end for end in ends.values() if start < end < now)})
    modified = _list_modified(context, list(pairwise([*starts, math.inf])), watch)
    return frozenset(key for key, at in certain.items() if at < start or modified.get(key, -math.inf) > at)


def _find_start(times: Sequence[float]) -> float:
    """Return since when to ask: not for the sake of a few customers last known long before all others."""
    few = times[: len(times) // 1000 + 2]
    return next((at for at in few if at - times[0] > _DAY_SECONDS), times[0])


def _find_stretch_ends(times: Iterable[float]) -> dict[float, float]:
    """Return for each time of an update when its stretch of updates, a minute long at most, has settled."""
    ends: dict[float, float] = {}
    stretch: list[float] = []
    for at in [*sorted(set(times)), math.inf]:
        if stretch and at - stretch[0] > _STRETCH_SECONDS:
            ends |= dict.fromkeys(stretch, stretch[-1] + SETTLED_SECONDS)
            stretch = []
        stretch.append(at)
    return ends


def _list_modified(context: RunContext, windows: Sequence[_Window], watch: WatchReading) -> dict[str, float]:
    """Return for each customer modified since the first window the end of the last window that it is in."""
    first, last = windows[0], windows[-1]
    if len(windows) > _FEW_WINDOWS:
        totals = [_list_pages(context, [(window, 1)], watch)[window].totals for window in (first, (first[0], last[1]))]
        if totals[0] == totals[1]:
            windows = [(first[0], last[0]), last]  # the list seems to ignore `modifiedOnTo`: windows would overlap
    found: dict[_Window, _Listed] = {}
    for _ in range(_ATTEMPTS):
        wanted = [window for window in windows if window not in found or not found[window].is_complete]
        if not wanted:
            return {customer_id: window[1] for window in windows for customer_id in found[window].ids}
        found |= _list_pages(context, [(window, 1) for window in wanted], watch)
        pages = [(window, page) for window in wanted for page in range(2, found[window].last_page + 1)]
        if last in wanted and found[last].is_last_page_full:
            pages.append((last, found[last].last_page + 1))  # which shows whether the total is right
        for window, more in _list_pages(context, pages, watch).items():
            found[window] = found[window].join(more)
    raise UnreadableListError(
        "The service's list of modified customers is not complete.",
        remedy="Nothing was sent. Try again, or turn the setting trust_modified_filter off.",
    )


@dataclass(frozen=True)
class _Listed:
    """What pages of a window have: customers, and all totals that the service named for it."""

    ids: frozenset[str]
    totals: frozenset[int | None]

    @property
    def is_complete(self) -> bool:
        """Whether nothing moved between the pages, nor is missing."""
        return self.totals == {len(self.ids)}

    @property
    def last_page(self) -> int:
        """The number of pages according to the largest total."""
        return -(-max(total or 0 for total in self.totals) // PAGE_SIZE)

    @property
    def is_last_page_full(self) -> bool:
        """Whether only another page can show that there are no more customers than the total says."""
        return self.last_page > 0 and all(total and total % PAGE_SIZE == 0 for total in self.totals)

    def join(self, other: _Listed) -> _Listed:
        """Return both together."""
        return _Listed(self.ids | other.ids, self.totals | other.totals)


def _list_pages(
    context: RunContext, pages: Sequence[tuple[_Window, int]], watch: WatchReading
) -> dict[_Window, _Listed]:
    """Read these pages, several at once."""

    def read(window: _Window, page: int) -> tuple[_Window, _Listed]:
        end = "" if math.isinf(window[1]) else format_utc(window[1] + 1)  # no gap, whether or not it is inclusive
        found, total = context.client.list_page(page, modified=(format_utc(window[0]), end), fields=())
        return window, _Listed(frozenset(found), frozenset([total]))

    found: dict[_Window, _Listed] = {}
    reads = (partial(read, *page) for page in pages)
    for answers in run_parallel(context.client, reads, context.settings.concurrency, quietly(watch)):
        for window, listed in answers:
            found[window] = found[window].join(listed) if window in found else listed
    return found
