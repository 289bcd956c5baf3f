"""Find out how the list of customers behaves: its pages, its total, and its id filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bulkupdate.runs.tenant.answers import Questioner, read_id, read_items, read_object
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.filter_reading import read_filter_facts

_FAR_PAGE = 999_999
_ASKED_PAGE_SIZE = 500
_SMALL = 2
"""Customers on a small page: one more than a service may keep back."""
_WANTED = 7
"""Customers asked for by their ids: half of them, twice as many, and a small page are other numbers."""
_FEWEST = _WANTED + 2 * _SMALL
_PAST_TOTAL, _BEFORE_TOTAL = 3, 2
"""How many small pages after and before the end of the list are read, as a few customers may come and go meanwhile."""


def read_list_facts(questioner: Questioner) -> Facts:
    """Ask about pages and filters, with eight requests if the list is as documented, else with at most 17.

    A list of fewer than eleven customers shows nothing.
    """
    first = questioner.get("list, page of 500", "Customers", {"pageNumber": 1, "pageSize": _ASKED_PAGE_SIZE})
    items = read_items(first) or []
    if len(items) < _FEWEST:
        return {}
    facts = _Pages(questioner, items, (read_object(first) or {}).get("TotalResults")).find_facts()
    return facts | read_filter_facts(questioner, items, facts.get("kept_back") == "customer")


@dataclass
class _Page:
    """A page of the list: the ids that it shows, None for one without an id, and the total that it names."""

    ids: list[str | None]
    total: Any


@dataclass
class _Pages:
    """The pages of the list. `items` are those of the first one, the largest that the service gives, `total` its."""

    questioner: Questioner
    items: list[dict[str, Any]]
    total: Any

    def find_facts(self) -> Facts:
        """Find out how pages, ids and `TotalResults` behave; what a missing answer leaves open is left out."""
        far = self._read(_FAR_PAGE)
        if far is None:
            return {}
        facts: Facts = {"repeat_last_page": bool(far.ids)} | self._read_wanted(far)
        size = len(self.items) + (facts.get("kept_back") == "customer")
        if "kept_back" in facts and size < _ASKED_PAGE_SIZE and self._has_more(size, far, facts.get("total_results")):
            facts["page_size_cap"] = size
        return facts

    def _read_wanted(self, far: _Page) -> Facts:
        """Ask for the second small page of some ids: it shows the id filter, what is kept back, and the total."""
        wanted = list(filter(None, map(read_id, self.items)))[-_WANTED:]
        second = self._read(2, wanted)
        has_no_items = second is None and self.questioner.shapes[-1].status == 200
        if second is None and not has_no_items:
            return {}
        shown = second if second and second.ids else self._read(3, wanted)
        if shown is None or not shown.ids:
            return {}
        kept_back = (
            "items" if has_no_items else "page" if shown is not second else "id" if None in shown.ids
            else {_SMALL: "nothing", 1: "customer"}.get(len(shown.ids))
        )  # fmt: skip
        is_filtered = {*shown.ids, None} <= {*wanted, None}
        expected = _WANTED if is_filtered else self.total
        facts: Facts = {"list_filter": "filters" if is_filtered else "ignored"}
        if kept_back is not None:
            facts["kept_back"] = kept_back
        return facts | self._check_total(shown.total, expected, far, is_filtered=is_filtered)

    def _check_total(self, named: Any, expected: Any, far: _Page, *, is_filtered: bool) -> Facts:
        """Compare the total of a small page with the number of ids, or with the end of the whole list."""
        if type(named) is not int or type(expected) is not int or min(named, expected) < 0:  # True is an int
            return {"total_results": "missing"}
        if named == _SMALL < expected:
            return {"total_results": "page"}
        if is_filtered:
            return {"total_results": "right" if named == expected else "half" if named < expected else "twice"}
        after = self._read(named // _SMALL + _PAST_TOTAL)
        before = self._read(max(1, named // _SMALL - _BEFORE_TOTAL))
        if after is None or before is None:
            return {}
        return {"total_results": "half" if after.ids != far.ids else "twice" if before.ids == far.ids else "right"}

    def _has_more(self, size: int, far: _Page, total_results: object) -> bool:
        """Return whether the list goes on after the first page, so that its size is the largest there is."""
        if total_results in ("right", "half", "twice"):
            return bool(self.total > {"right": size, "half": size / 2, "twice": size * 2}[str(total_results)])
        after = self._read(size // _SMALL + 2)
        return after is not None and after.ids != far.ids

    def _read(self, number: int, wanted: list[str] | None = None) -> _Page | None:
        """Return a small page, of the customers of these ids, None: of the whole list; None if it has no list."""
        query: dict[str, object] = {"customerIds": wanted} if wanted else {}
        question = "list, page of 2 of seven ids" if wanted else "list, page of 2"
        answer = self.questioner.get(question, "Customers", query | {"pageNumber": number, "pageSize": _SMALL})
        found = read_items(answer)
        total = (read_object(answer) or {}).get("TotalResults")
        return None if found is None else _Page([read_id(item) for item in found], total)
