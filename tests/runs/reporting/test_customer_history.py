"""The history of a customer: what each run sent, and whether others changed it in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.customer_history import FieldChange, find_history
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import FIRST, write_csv
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.runs.test_undo_sheet import set_live


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (FieldChange("Fax", None, "1", False), "Fax: not saved → “1”"),
        (FieldChange("Fax", "", "1", False), "Fax: empty → “1”"),
        (FieldChange("Fax", "9", "", True), "Fax: “9” → empty, changed by others before"),
    ],
)
def test_a_change_is_told_in_words(change: FieldChange, words: str) -> None:
    assert change.describe() == words


def test_others_have_changed_what_is_not_as_the_last_run_on_that_service_confirmed_it(tmp_path: Path) -> None:
    driver = Driver("", tmp_path)

    def send(sandbox: Sandbox, value: str, **options: object) -> None:
        driver.base_url = sandbox.base_url
        sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax"], [FIRST, value]])
        driver.execute_run(driver.begin(sheet, snapshot=True, **options))

    with Sandbox(SandboxOptions(customers=5)) as first, Sandbox(SandboxOptions(customers=5)) as second:
        send(first, "1")
        send(second, "2")
        send(first, "3")
        set_live(first, FIRST, Fax="of others")
        send(first, "4")
        hosts = [sandbox.base_url.split("/")[2] for sandbox in (first, second)]
    with Journal(place_of(driver.state), Clock()) as journal:
        everywhere, here = find_history(journal, str(FIRST)), find_history(journal, str(FIRST), hosts[0])
        assert find_history(journal, str(FIRST + 1)) == []
    assert [change.host for change in everywhere] == [hosts[0], hosts[1], hosts[0], hosts[0]]
    assert [change.fields[0] for change in here[1:]] == [
        FieldChange("Fax", "1", "3", False), FieldChange("Fax", "of others", "4", True),
    ]  # fmt: skip
    told = here[-1].to_json()
    assert told["fields"] == {"Fax": {"from": "of others", "to": "4", "changed_elsewhere": True}}
    assert (told["by"], told["host"], told["status"]) == ("sandbox", hosts[0], "updated")
    assert Path(told["file"]).name == "a.csv"
