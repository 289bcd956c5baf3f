"""Random sheets of random customers, and a service that lies: no wrong id, and one outcome for each row."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import UnreadableListError
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.runs.matching.matches import Outcome
from bulkupdate.runs.matching.search import make_search
from bulkupdate.runs.new_run import create_run
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.runs.sending.selection import Selection
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import FIRST, find_puts, write_csv
from tests.runs.in_process import Driver
from tests.runs.matching.test_search import LIES, capitalise_shared, emails_of, is_honest

ROW = st.tuples(
    st.one_of(st.integers(0, 60), st.none()),  # whose e-mail: a customer, nobody's beyond the last, or a blank
    st.sampled_from(["", " ", "upper"]),
    st.one_of(st.none(), st.integers(0, 60)),  # an id of its own
)


def search(context: RunContext, key: Key, keys: Sequence[str]) -> FoundCustomers:
    found = make_search(context, key, keys)
    found.begin()
    return FoundCustomers(found.run(lambda _count, _waiting: None))


def write_sheet(folder: Path, rows: Sequence[tuple[str, str]], field: str) -> Path:
    lines = [[email, customer_id, f"text {number}"] for number, (email, customer_id) in enumerate(rows)]
    return write_csv(folder / "sheet.csv", [["Email", "CustomerId", field], *lines])


GIVEN = {
    "lies": LIES,
    "picks": st.lists(ROW, min_size=1, max_size=12),
    "field": st.sampled_from(["Name", "Comments"]),
}
NO_LIMITS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=5, **NO_LIMITS)
@given(**GIVEN)
def test_no_customer_is_updated_whose_key_is_not_the_rows(tmp_path_factory, lies, picks, field):
    send_and_check(tmp_path_factory.mktemp("random"), lies, picks, field)


@pytest.mark.long
@settings(max_examples=400, **NO_LIMITS)
@given(**GIVEN)
def test_of_many_services_no_customer_is_updated_whose_key_is_not_the_rows(tmp_path_factory, lies, picks, field):
    send_and_check(tmp_path_factory.mktemp("random"), lies, picks, field)


def send_and_check(
    folder: Path, lies: dict[str, Any], picks: Sequence[tuple[int | None, str, int | None]], field: str
) -> None:
    """With --snapshot, so that each customer is read once more before its update."""
    with Sandbox(SandboxOptions(requests_per_hour=0, **lies)) as sandbox:
        capitalise_shared(sandbox)
        rows = [_make_row(list(emails_of(sandbox).values()), *pick) for pick in picks]
        given = Driver(sandbox.base_url, folder).make_settings()
        with open_context(given, Clock(), threading.Event()) as context:
            try:
                checked = load_input_file(
                    write_sheet(folder, rows, field), given, SheetOptions(key="Email"), partial(search, context)
                )
            except UnreadableListError:
                assert lies["kept_back"] in ("page", "items", "id")
                return
            emails = {str(key): email.lower() for key, email in emails_of(sandbox).items()}
            run = create_run(
                context,
                "run",
                Selection(checked, context.settings.rating_format, ""),
                RunOptions(snapshot=True),
                folder / "results.csv",
            )
            counts = execute_run(run, context, lambda _outcomes, _waiting: None).tally
        puts = find_puts(sandbox)
    assert checked.matched is not None
    assert [match.number for match in checked.matched.matches] == list(range(2, 2 + len(rows)))
    assert counts.rows == len(rows), "each row has one outcome"
    assert len(set(puts)) == len(puts) == counts[Status.UPDATED], "each customer is updated once"
    _require_true_keys(lies, rows, checked, puts, emails)


def _require_true_keys(
    lies: dict[str, Any],
    rows: Sequence[tuple[str, str]],
    checked: CheckedInput,
    puts: Sequence[str],
    emails: dict[str, str],
) -> None:
    for (email, own), match, row in zip(rows, checked.matched.matches, checked.rows(), strict=True):
        key = email.strip().lower()
        truth = {customer_id for customer_id, known in emails.items() if known == key}
        if match.outcome is Outcome.MATCHED and is_honest(lies):
            assert truth == {match.customer_id}
        if row.status is Status.NOT_ATTEMPTED and row.customer_id in puts:
            assert row.customer_id == own or not own
            assert row.customer_id in truth or not key


def _make_row(listed: Sequence[str], whose: int | None, form: str, own: int | None) -> tuple[str, str]:
    email = "" if whose is None else listed[whose] if whose < len(listed) else f"nobody{whose}@example.com"
    return (email.upper() if form == "upper" else f"{form}{email}{form}", "" if own is None else str(FIRST + own))
