"""`doctor`."""

from __future__ import annotations

import json

from bulkupdate.errors import ExitCode
from tests.conftest import FIRST


def test_doctor_tells_what_is_well_and_what_is_not(run_program, sandbox):
    well = run_program("doctor")
    assert well.exit_code == ExitCode.DONE
    assert (well.told["journal"]["ok"], well.told["service"]["ok"]) == (True, True)
    refused = run_program("doctor", password="wrong")
    assert (refused.exit_code, refused.told["service"]["ok"]) == (ExitCode.STOPPED, False)
    missing = run_program("doctor", base_url="", username="")
    assert missing.exit_code == ExitCode.USAGE
    assert "BULKUPDATE_USERNAME" in missing.err


def test_doctor_names_a_state_folder_that_is_none(run_program, tmp_path):
    (tmp_path / "file").write_text("")
    answer = run_program("doctor", state_dir=tmp_path / "file")
    assert answer.exit_code == ExitCode.USAGE
    assert str(tmp_path / "file") in answer.err


def list_secrets(sandbox):
    """Every text that a report must not hold: values of the first customers, login, token and address."""
    customers = [sandbox.customer(FIRST + at) for at in range(60)]
    values = [each for customer in customers for each in customer.values() if isinstance(each, str) and len(each) > 4]
    return {*values, *(str(FIRST + at) for at in range(60)), "sandbox-1-", sandbox.base_url.split("/")[2]}


def test_facts_are_read_told_and_reported_without_a_value_of_anyone(run_program, sandbox, tmp_path):
    answer = run_program("doctor", "--facts", "--report", tmp_path / "facts.json", token_seconds=1)
    assert answer.exit_code == ExitCode.DONE, answer.err
    assert "GET Customers with seven ids, the second page of two" in answer.err.partition("?")[0], (
        "named before they are made"
    )
    assert answer.told["facts"]["list_filter"] == "filters"
    report = (tmp_path / "facts.json").read_text()
    assert json.loads(report)["facts"] == answer.told["facts"]
    assert [secret for secret in list_secrets(sandbox) if secret.casefold() in report.casefold()] == []
    again = run_program("doctor", "--facts", "--report", tmp_path / "no-folder" / "facts.json")
    assert again.exit_code == ExitCode.USAGE
    (tmp_path / "mine.json").write_text("{}")
    assert run_program("doctor", "--facts", "--report", tmp_path / "mine.json").exit_code == ExitCode.USAGE
    assert run_program("doctor", "--facts", "--report", tmp_path / "facts.json").exit_code == ExitCode.DONE
