"""`history`: every change made to a customer, and whether others have changed it in between."""

from __future__ import annotations

import requests

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from tests.conftest import FIRST, write_csv
from tests.postgres import place_of


def change(run_program, folder, value, *options):
    sheet = write_csv(folder / "a.csv", [["CustomerId", "Fax"], [FIRST, value], [FIRST + 1, value]])
    done = run_program("run", sheet, "--yes", *options)
    assert done.exit_code == 0
    return done.told["run"]


def test_every_change_of_a_customer_is_shown_with_those_of_others_and_forgotten_by_purge(
    run_program, sandbox, tmp_path
):
    runs = [change(run_program, tmp_path, "1"), change(run_program, tmp_path, "2", "--snapshot")]
    token = requests.post(
        f"{sandbox.base_url}/token", json={"Username": "sandbox", "Password": "sandbox"}, timeout=9
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    requests.put(f"{sandbox.base_url}/Customers/{FIRST}", json={"Fax": "9"}, headers=headers, timeout=9)
    runs.append(change(run_program, tmp_path, "<clear>", "--snapshot"))
    told = run_program("history", FIRST).told
    assert [each["run"] for each in told["changes"]] == runs
    assert [each["fields"]["Fax"] for each in told["changes"]] == [
        {"from": None, "to": "1", "changed_elsewhere": False},
        {"from": "1", "to": "2", "changed_elsewhere": False},
        {"from": "9", "to": "", "changed_elsewhere": True},
    ]
    assert {each["by"] for each in told["changes"]} == {"sandbox"}
    shown = run_program("history", FIRST, json=False).out
    assert "Fax: not saved → “1”" in shown
    assert "Fax: “9” → empty, changed by others before" in shown
    assert "changed by others" not in run_program("history", FIRST + 1, json=False).out
    with Journal(place_of(run_program.state), Clock()) as journal:
        journal.purge("9999")
    assert run_program("history", FIRST).told["changes"] == []
