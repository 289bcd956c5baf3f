"""The updates of a probe: what each sends, and what follows from the answer and from reading the customer again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, encode_body
from bulkupdate.customers.value_types import RATINGS
from bulkupdate.errors import UsageError
from bulkupdate.runs.tenant.facts import Facts, FactValue
from bulkupdate.runs.tenant.probe_traces import ALIASES_FIELD, MARK, as_list
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.single_request import RequestResult

TEXT_FIELDS = ("Comments", "Title", "Fax")
"""The text fields that a probe may touch: one that is not empty, as an empty one might not be emptied again."""

TEXT = f"{MARK}: Ä 😀\r\nline "
_PARTS = {"umlaut": "Ä", "emoji": "😀", "line break": "\r\n", "trailing blank": "line "}
UNKNOWN_NAME = "BulkupdateProbe"
_PLAIN = re.compile(r"[!-~]([ -~]*[!-~])?")
_NAME_TRIED, _CODE_TRIED = 3, 4
_PERHAPS = "perhaps refused"
"""An unknown name, until an update without it is accepted."""


@dataclass(frozen=True)
class StepResult:
    """The result of a step: the answer, and the customer before it, at once after it, and two seconds later.

    The readings are None if they were not made, or failed.
    """

    answer: RequestResult
    before: LiveCustomer
    at_once: LiveCustomer | None
    later: LiveCustomer | None

    @property
    def verdict(self) -> Verdict | None:
        """What the answer means; None if there was none."""
        return self.answer.response.verdict if self.answer.response else None

    @property
    def is_conclusive(self) -> bool:
        """Whether the service said yes or no, and the customer was read afterwards."""
        return self.verdict is Verdict.REFUSED or (self.verdict is Verdict.ACCEPTED and self.later is not None)


@dataclass(frozen=True)
class ProbeStep:
    """One update. `values` are those that it may set; `body` is what is sent. `conclude` returns what it shows.

    `is_needed` decides by what is known before it. `keeps`: what it has set is put back with the next step.
    """

    name: str
    values: Mapping[str, Value]
    body: str
    conclude: Callable[[StepResult], Facts]
    is_needed: Callable[[Facts], bool] = lambda _facts: True
    keeps: bool = False


def choose_field(customer: LiveCustomer) -> str:
    """Return the text field to touch, best one that any service stores as it is.

    Raises `UsageError` if none of them can be put back for certain.
    """
    texts = {name: str(customer[name]) for name in TEXT_FIELDS if customer.get(name)}
    whole = [name for name, text in texts.items() if not any("\ud800" <= each <= "\udfff" for each in text)]
    for name in (*filter(lambda name: _PLAIN.fullmatch(texts[name]), whole), *whole):
        return name
    raise UsageError(
        f"This customer cannot be probed: {', '.join(TEXT_FIELDS)} are all empty, and what is put into an empty field "
        "might stay there.",
        remedy="Choose a customer with a text in one of them.",
    )


def list_steps(customer: LiveCustomer, *, aliases: bool) -> Iterator[ProbeStep]:
    """Yield the updates for this customer, in their order. Raises `UsageError` as `choose_field` does."""
    name = choose_field(customer)
    same: dict[str, Value] = {name: str(customer[name])}
    yield from _list_equal_steps(same)
    yield ProbeStep("empty body", {}, "{}", _conclude_empty_body)
    yield _make("text", {name: TEXT}, lambda result: _conclude_text(name, result), keeps=True)
    yield _make("empty text", {name: ""}, lambda result: {"empty_string": _describe_emptying(name, result)})
    null = json.dumps({name: None})
    yield ProbeStep("null", {name: ""}, null, lambda result: {"null_value": _describe_emptying(name, result)})
    if isinstance(customer.get("Rating"), int):
        yield from _list_rating_steps(int(str(customer["Rating"])))
    if aliases:
        yield from _list_alias_steps(customer)


def _list_equal_steps(same: Mapping[str, Value]) -> Iterator[ProbeStep]:
    """Yield the same value with an unknown name; without it, unless the service has accepted both."""

    def conclude_equal(accepted: Facts) -> Callable[[StepResult], Facts]:
        refused: Facts = {"equal_value": "refused"}
        return lambda result: refused if result.verdict is Verdict.REFUSED else accepted | _describe_body(result)

    def conclude_name(result: StepResult) -> Facts:
        if result.verdict is Verdict.REFUSED:
            return {"unknown_name": _PERHAPS}
        return {"unknown_name": "ignored", "equal_value": "accepted"} | _describe_body(result)

    body = json.dumps({**same, UNKNOWN_NAME: "1"}, ensure_ascii=False)
    yield ProbeStep("unknown name", same, body, conclude_name)
    refused: Facts = {"unknown_name": "refused", "equal_value": "accepted"}
    for unknown, accepted in ((_PERHAPS, refused), (None, dict[str, FactValue](equal_value="accepted"))):
        yield _make("equal value", same, conclude_equal(accepted), _is_known("unknown_name", unknown))


def _make(
    name: str,
    values: Mapping[str, Value],
    conclude: Callable[[StepResult], Facts],
    is_needed: Callable[[Facts], bool] = lambda _facts: True,
    *,
    keeps: bool = False,
) -> ProbeStep:
    return ProbeStep(name, values, encode_body(values, "code"), conclude, is_needed, keeps)


def _is_known(name: str, value: FactValue | None) -> Callable[[Facts], bool]:
    return lambda facts: facts.get(name) == value


def _list_rating_steps(rating: int) -> Iterator[ProbeStep]:
    """By name, then by code: the code of the old rating if the name has set another one, which also puts it back."""
    tried = _NAME_TRIED if rating != _NAME_TRIED else _CODE_TRIED

    def conclude_name(result: StepResult) -> Facts:
        return {"rating_format": "name" if _has(result, "Rating", tried) else "code"}  # until the code has been tried

    def conclude_code(by_name: bool, code: int) -> Callable[[StepResult], Facts]:
        def conclude(result: StepResult) -> Facts:
            by_code = _has(result, "Rating", code)
            both = "both" if by_code else "name"
            return {"rating_format": both if by_name else "code" if by_code else "neither"}

        return conclude

    body = json.dumps({"Rating": RATINGS[tried]})
    yield ProbeStep("rating by name", {"Rating": tried}, body, conclude_name, keeps=True)
    for known, code in (("name", rating), ("code", tried)):
        is_needed = _is_known("rating_format", known)
        yield _make("rating by code", {"Rating": code}, conclude_code(known == "name", code), is_needed)


def _list_alias_steps(customer: LiveCustomer) -> Iterator[ProbeStep]:
    """With two aliases or more, one of them is sent: nothing new is added, even if aliases are not replaced."""
    aliases = as_list(customer.get(ALIASES_FIELD))
    if not aliases:
        return
    sent = tuple(aliases[:1]) if len(aliases) > 1 else (f"{MARK} {len(aliases)}",)

    def conclude(result: StepResult) -> Facts:
        found = tuple(as_list((result.later or result.before).get(ALIASES_FIELD)))
        is_added = set(found) >= {*aliases, *sent}
        return {"aliases": "replace" if found == sent else "append" if is_added else "other"}

    yield _make("aliases", {ALIASES_FIELD: sent}, conclude)


def _has(result: StepResult, name: str, value: object) -> bool:
    return result.later is not None and result.later.get(name) == value


def _conclude_empty_body(result: StepResult) -> Facts:
    is_same = result.later == result.before
    return {
        "empty_body": "refused" if result.verdict is Verdict.REFUSED else "nothing" if is_same else "changes fields"
    }


def _describe_body(result: StepResult) -> Facts:
    """Return the kind of the body of an accepted update."""
    response = result.answer.response
    if response is None:
        return {}
    kind = "JSON" if response.json is not None else "a page" if response.is_html else "empty or other text"
    return {"accepted_body": kind}


def _conclude_text(name: str, result: StepResult) -> Facts:
    if result.later is None or result.later == result.before:
        return {"read_delay": "not changed"}
    found = str(result.later.get(name) or "")
    is_at_once = result.at_once == result.later
    return {
        "texts_changed": [what for what, part in _PARTS.items() if part not in found],
        "read_delay": "at once" if is_at_once else "after two seconds",
    }


def _describe_emptying(name: str, result: StepResult) -> str:
    if result.verdict is Verdict.REFUSED or result.later is None:
        return "refused"
    return "clears" if not result.later.get(name) else "ignored"
