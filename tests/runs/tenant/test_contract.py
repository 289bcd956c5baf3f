"""The contract of facts and probe: every setting of the sandbox's switches is found, and imitated from the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import combinations, product
from typing import Any

import pytest

from bulkupdate.runs.tenant.facts import FACTS, Facts, Step, to_switches
from bulkupdate.runs.tenant.probe import MOST_REQUESTS
from bulkupdate.sandbox.customer_list import list_customers
from bulkupdate.sandbox.customer_store import CustomerStore
from bulkupdate.sandbox.switches import SandboxOptions, SwitchGroup
from tests.runs.tenant.probing import learn

THROTTLED = {fact.switch for fact in FACTS if fact.step is Step.THROTTLE}
"""Throttling is not provoked: what a throttle answer tells is tested with the runs that get one."""

CHOICES: Mapping[str, tuple[Any, ...]] = {
    each.name: each.metadata["choices"] or (False, True)
    for each in fields(SandboxOptions)
    if each.metadata["section"] is SwitchGroup.UNKNOWN and each.name not in THROTTLED
} | {"token_seconds": (3600, 1800), "page_size_cap": (50, 30), "build_date": ("2026-01-05T04:30:00", "2026-02-01")}

Switches = dict[str, Any]


def hides(switches: Switches) -> bool:
    """Whether the filter for e-mails of the same case cannot be told from one for any case (see the test below)."""
    return switches.get("kept_back") == "customer" and switches.get("total_results") in ("half", "missing")


def check(make_sandbox: Any, folder: Any, switches: Switches) -> None:
    sandbox = make_sandbox(customers=120, **switches)
    facts, answers, calls = learn(sandbox, folder / "first")
    found = to_switches(facts)
    expected = {name: getattr(sandbox.options, name) for name in CHOICES}
    if hides(switches) and expected["email_filter"] == "case":
        expected["email_filter"] = "exact"
    missed = {name for name in CHOICES if found.get(name) != expected[name]}
    assert missed == set(), f"not found with {switches}: {[(name, found.get(name)) for name in missed]}"
    assert calls <= MOST_REQUESTS
    imitated: Facts
    imitated, answers_again, _ = learn(make_sandbox(customers=120, **found), folder / "again")
    assert imitated == facts
    assert answers_again == answers


def list_singles() -> Iterator[Switches]:
    for name, choices in CHOICES.items():
        default = getattr(SandboxOptions(), name)
        yield from ({name: choice} for choice in choices if choice != default)


def list_rows() -> Iterator[Switches]:
    """Settings of all switches that together have every pair of values, each as far as possible among the others."""
    left = {
        frozenset(((a, x), (b, y))) for a, b in combinations(CHOICES, 2) for x, y in product(CHOICES[a], CHOICES[b])
    }
    while left:
        row = dict(sorted(min(left, key=lambda pair: sorted(map(str, pair)))))
        for name in (name for name in CHOICES if name not in row):
            gains = {
                value: sum(frozenset(((name, value), other)) in left for other in row.items())
                for value in CHOICES[name]
            }
            row[name] = max(gains, key=lambda value: gains[value])
        left -= {frozenset(pair) for pair in combinations(row.items(), 2)}
        yield row


@pytest.mark.long
def test_a_setting_of_all_switches_is_found_and_imitated(make_sandbox, tmp_path):
    others = {name: choices[-1] for name, choices in CHOICES.items() if name not in ("kept_back", "list_filter")}
    check(make_sandbox, tmp_path, others | {"list_filter": False, "total_results": "half", "email_filter": "contains"})


@pytest.mark.parametrize("total", ["half", "missing"])
def test_what_is_not_told_apart_cannot_be_told_apart(total):
    """No e-mail of anyone, whole or in part, in any case, is answered otherwise by the one filter than by the other."""
    hidden = SandboxOptions(customers=40, kept_back="customer", total_results=total)
    store = CustomerStore(hidden)
    for customer_id in store.ids:
        email = str((store.read(customer_id) or {})["Email"])
        for text in (email, email.swapcase(), email.upper(), email[: len(email) // 2], email[email.index("@") :]):
            for wanted in ((), (customer_id,), (customer_id, store.ids[0], store.ids[-1])):
                query = {"model.email": [text], "model.customerIds": [*map(str, wanted)]}
                answers = [list_customers(store, replace(hidden, email_filter=how), query) for how in ("exact", "case")]
                assert answers[0] == answers[1]


@pytest.mark.long
@pytest.mark.parametrize("switches", list(list_singles()), ids=str)
def test_every_setting_of_a_switch_is_found_and_imitated(make_sandbox, tmp_path, switches):
    check(make_sandbox, tmp_path, switches)


@pytest.mark.long
@pytest.mark.parametrize("switches", list(list_rows()), ids=lambda row: "-".join(map(str, row.values())))
def test_every_pair_of_settings_is_found_and_imitated(make_sandbox, tmp_path, switches):
    check(make_sandbox, tmp_path, switches)
