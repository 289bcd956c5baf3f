"""Rows with an id and a key: wherever the customer is read anyway, a row whose customer has another key is not sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bulkupdate.errors import ExitCode
from tests.conftest import FIRST, find_puts, write_csv

GOOD, WRONG, NO_KEY = FIRST, FIRST + 1, FIRST + 3
ONLY_IF_EMPTY = {"write_policy": "Comments=only-if-empty"}


def write_sheet(path: Path, sandbox: Any) -> Path:
    """A row of the right customer, one with another customer's e-mail, one without a key."""
    mine, other = (str((sandbox.customer(FIRST + at) or {})["Email"]) for at in (0, 2))
    rows = [[GOOD, f" {mine.upper()}", "A"], [WRONG, other, "B"], [NO_KEY, "", "C"]]
    return write_csv(path, [["CustomerId", "E-Mail", "Comments"], *rows])


@pytest.mark.parametrize(
    ("options", "settings", "of_to_fix"),
    [
        (["--only-changes"], {}, []),
        pytest.param(["--snapshot"], {}, ["--key", "Email"], marks=pytest.mark.long),
        pytest.param([], ONLY_IF_EMPTY, ["--ignore-unknown"], marks=pytest.mark.long),
        pytest.param(["--only-changes", "--snapshot"], {}, [], marks=pytest.mark.long),
    ],
    ids=["only-changes", "snapshot", "policy", "both"],
)
def test_a_row_whose_customer_has_another_key_is_not_sent(run_program, sandbox, tmp_path, options, settings, of_to_fix):
    """Nor if the to-fix file is given back unchanged, with the options `of_to_fix`."""
    for customer in (GOOD, WRONG, NO_KEY):
        sandbox.service.registry.update(customer, {"Comments": ""}, is_applied=True)
    sheet = write_sheet(tmp_path / "sheet.csv", sandbox)
    run = ("run", sheet, "--key", "Email", "--yes", *options)
    answer = run_program(*run, "-o", tmp_path / "r.xlsx", **settings)
    assert (answer.exit_code, answer.counts) == (ExitCode.INCOMPLETE, {"updated": 2, "invalid": 1}), answer.err
    assert sorted(find_puts(sandbox)) == [str(GOOD), str(NO_KEY)]
    [problem] = answer.told["problems"]
    assert (problem["row"], problem["column"], problem["code"]) == (3, "E-Mail", "key-conflict")
    again = run_program("run", tmp_path / "r-to-fix.xlsx", *of_to_fix, "--yes", "--skip-invalid", **settings)
    assert again.counts == {"invalid": 1}, "given back unchanged, it is still not sent"
    assert run_program("retry", answer.told["run"], "--yes").exit_code != ExitCode.INCOMPLETE
    assert len(find_puts(sandbox)) == 2


@pytest.mark.parametrize("option", ["--live", "--live-ids"])
def test_a_live_check_compares_keys_too(run_program, sandbox, tmp_path, option):
    answer = run_program("check", write_sheet(tmp_path / "sheet.csv", sandbox), "--key", "Email", option)
    assert [(each["row"], each["code"]) for each in answer.told["problems"]] == [(3, "key-conflict")]
    assert (answer.exit_code, answer.counts["invalid"]) == (ExitCode.INCOMPLETE, 1)
    assert "unknown to the service: 0" in answer.err


def test_a_customer_that_has_another_key_when_it_is_read_back_has_failed(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "sheet.csv", sandbox)
    answer = run_program("run", sheet, "--key", "Email", "--yes", "--verify")
    assert answer.counts == {"updated": 2, "failed": 1}
    assert "has “" in answer.told["reasons"][0]["message"]


def test_a_customer_that_changes_its_email_after_the_search_is_not_updated(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(customers=60, changing_emails=1.0)
    email = str((sandbox.customer(FIRST) or {})["Email"])
    sheet = write_csv(tmp_path / "sheet.csv", [["Email", "Comments"], [email, "A"]])
    answer = run_program("run", sheet, "--key", "Email", "--yes", "--snapshot", base_url=sandbox.base_url)
    assert (answer.counts, find_puts(sandbox)) == ({"invalid": 1}, []), answer.err


def test_a_lookup_sheet_is_the_authority_on_keys(run_program, sandbox, tmp_path):
    lookup = write_csv(tmp_path / "list.csv", [["CustomerId", "Email"], [FIRST, "own@example.com"]])
    sheet = write_csv(tmp_path / "sheet.csv", [["Email", "Comments"], ["own@example.com", "A"]])
    options = ("--key", "Email", "--lookup", lookup, "--only-changes", "--yes")
    assert run_program("run", sheet, *options).counts == {"updated": 1}
