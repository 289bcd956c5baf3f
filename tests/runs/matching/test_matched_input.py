"""Random sheets of random customers, and a service that lies: no wrong id, and one outcome for each row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.runs.input_file import CheckedInput, SheetOptions, load_input_file
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.runs.matching.matches import Outcome
from bulkupdate.runs.matching.search import CustomerSearch
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sellercloud.client import Client
from bulkupdate.settings import Settings
from tests.conftest import FIRST, write_csv
from tests.runs.matching.test_search import LIES, emails_of, open_search

ROW = st.tuples(
    st.one_of(st.integers(0, 60), st.none()),  # whose e-mail: a customer, nobody's beyond the last, or a blank
    st.sampled_from(["", " ", "upper"]),
    st.one_of(st.none(), st.integers(0, 60)),  # an id of its own
)


def search(client: Client, journal: Journal, key: Key, keys: Sequence[str]) -> FoundCustomers:
    found = CustomerSearch(client, journal, Clock(), "here", key, keys, 4)
    found.begin()
    return FoundCustomers(found.run(lambda _count, _waiting: None))


def load(folder: Path, sandbox: Sandbox, rows: Sequence[tuple[str, str]]) -> CheckedInput:
    lines = [[email, customer_id, f"name {number}"] for number, (email, customer_id) in enumerate(rows)]
    sheet = write_csv(folder / "sheet.csv", [["Email", "CustomerId", "Name"], *lines])
    with open_search(sandbox, folder / "state") as (client, journal):
        return load_input_file(sheet, Settings(), SheetOptions(key="Email"), partial(search, client, journal))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(lies=LIES, picks=st.lists(ROW, min_size=1, max_size=12))
def test_no_row_gets_a_customer_whose_key_is_not_the_rows(
    tmp_path_factory: pytest.TempPathFactory, lies: dict[str, Any], picks: list[tuple[int | None, str, int | None]]
) -> None:
    with Sandbox(SandboxOptions(requests_per_hour=0, **lies)) as sandbox:
        emails = emails_of(sandbox)
        rows = [_make_row(list(emails.values()), *pick) for pick in picks]
        checked = load(tmp_path_factory.mktemp("random"), sandbox, rows)
    assert checked.matched is not None
    matches, sent = checked.matched.matches, list(checked.checked.rows())
    assert [match.number for match in matches] == [row.number for row in sent] == list(range(2, 2 + len(rows)))
    for (email, own), match, row in zip(rows, matches, sent, strict=True):
        truth = {str(key) for key, known in emails.items() if known.lower() == email.strip().lower()}
        if match.outcome is Outcome.MATCHED:
            assert match.customer_id in truth
            assert len(truth) == 1 or lies["total_results"] == "half"
        if row.status is Status.NOT_ATTEMPTED:
            assert row.customer_id == own or (not own and row.customer_id in truth)
    found = [row.customer_id for row in sent if row.status is Status.NOT_ATTEMPTED]
    assert len(set(found)) == len(found), "each customer is updated once"


def _make_row(listed: Sequence[str], whose: int | None, form: str, own: int | None) -> tuple[str, str]:
    email = "" if whose is None else listed[whose] if whose < len(listed) else f"nobody{whose}@example.com"
    return (email.upper() if form == "upper" else f"{form}{email}{form}", "" if own is None else str(FIRST + own))
