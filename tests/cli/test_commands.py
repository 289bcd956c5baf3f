"""`runs`, `show`, `retry`, `purge`, `doctor`, `--limit`, and every exit code, once each and by the whole program."""

from __future__ import annotations

import sqlite3
import subprocess
from collections import Counter

import pytest

from bulkupdate.errors import ExitCode
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.conftest import FIRST, find_puts, read_results, write_csv, write_sheet

HEADINGS = ["CustomerId", "Name", "Email"]


@pytest.fixture
def mixed(make_sandbox, run_program, tmp_path):
    """A finished run with a row of each status that a finished run can have, and its sandbox with the trouble over."""
    plan = ScheduledFaults(customers={FIRST + 1: ["error-500"] * 2, FIRST + 2: ["cut-after"] * 2})
    sandbox = make_sandbox(plan=plan)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    lines = [
        HEADINGS,
        [FIRST, "good", ""],
        [FIRST + 1, "fails", ""],
        [FIRST + 2, "unknown", ""],
        [999, "rejected", ""],
        [FIRST + 4, "", ""],
        [FIRST + 5, "", "no address"],
    ]
    sheet = write_csv(tmp_path / "customers.csv", lines)
    results = tmp_path / "results.csv"
    settings = {"max_attempts": 2, "retry_wait": 0, "concurrency": 1}
    answer = run_program("run", sheet, "--yes", "--skip-invalid", "-o", results, **settings)
    return sandbox, answer


def test_every_row_has_one_status_and_the_counts_add_up(mixed, tmp_path):
    _, answer = mixed
    each_once = dict.fromkeys(("updated", "failed", "unknown", "rejected", "unchanged", "invalid"), 1)
    assert (answer.exit_code, answer.counts, answer.told["rows"]) == (ExitCode.INCOMPLETE, each_once, 6)
    told = Counter(line["Status"] for line in read_results(tmp_path / "results.csv"))
    assert told == each_once
    assert (tmp_path / "results-to-fix.xlsx").exists()
    assert answer.told["next"] == f"bulkupdate retry {answer.told['run']}"


def test_retry_sends_exactly_what_failed_was_rejected_or_is_unknown_as_a_linked_run(mixed, run_program, tmp_path):
    sandbox, answer = mixed
    sandbox.reset_log()
    sandbox.service.plan = None
    again = run_program("retry", answer.told["run"], "--yes", "-o", tmp_path / "again.csv")
    assert sorted(find_puts(sandbox)) == ["100002", "100003", "999"]
    assert (again.exit_code, again.counts) == (ExitCode.INCOMPLETE, {"updated": 2, "rejected": 1})
    assert [line["Row"] for line in read_results(tmp_path / "again.csv")] == ["3", "4", "5"]
    with sqlite3.connect(run_program.state / JOURNAL_NAME) as journal:
        parents = dict(journal.execute("SELECT id, parent FROM runs").fetchall())
    assert parents == {answer.told["run"]: None, again.told["run"]: answer.told["run"]}
    assert answer.told["run"] in run_program("show", json=False).out, "the link is shown"


def test_with_nothing_to_retry_nothing_is_sent(run_program, sandbox, tmp_path):
    run_program("run", write_sheet(tmp_path / "customers.csv", 2), "--yes")
    before = len(sandbox.requests)
    answer = run_program("retry", "--yes")
    assert (answer.exit_code, len(sandbox.requests)) == (ExitCode.DONE, before)
    assert "nothing to retry" in answer.err


def test_runs_lists_newest_first_and_show_tells_one_though_the_file_is_gone(mixed, run_program, tmp_path):
    _, first = mixed
    (tmp_path / "customers.csv").unlink()
    second = run_program("run", write_sheet(tmp_path / "other.csv", 2), "--yes")
    listed = run_program("runs")
    assert [each["run"] for each in listed.told] == [second.told["run"], first.told["run"]]
    assert [each["counts"] for each in listed.told] == [{"updated": 2}, first.counts]
    assert len(run_program("runs", json=False).out.splitlines()) == 2
    shown = run_program("show", first.told["run"], "-o", tmp_path / "shown.csv")
    assert (shown.exit_code, shown.counts) == (ExitCode.DONE, first.counts)
    assert (tmp_path / "shown.csv").read_bytes() == (tmp_path / "results.csv").read_bytes()
    assert run_program("show").told["run"] == second.told["run"]


def test_limit_sends_so_many_and_resume_the_rest(run_program, sandbox, tmp_path):
    stopped = run_program("run", write_sheet(tmp_path / "customers.csv", 9), "--yes", "--limit", 4)
    assert (stopped.counts, stopped.told["state"]) == ({"updated": 4, "not attempted": 5}, "stopped")
    assert stopped.exit_code == ExitCode.INCOMPLETE
    assert run_program("resume").counts == {"updated": 9}
    assert find_puts(sandbox).count(str(FIRST)) == 1


def test_purge_forgets_old_runs_and_their_payloads_but_no_new_ones(run_program, sandbox, tmp_path):
    run_program("run", write_sheet(tmp_path / "customers.csv", 2, word="forgettable"), "--yes")
    assert run_program("purge", "--older-than", "90d").told["purged"] == 0
    with sqlite3.connect(run_program.state / JOURNAL_NAME) as journal:
        journal.execute("UPDATE runs SET started = '2020-01-01T00:00:00Z'")
    assert run_program("purge", "--older-than", "90d").told["purged"] == 1
    kept = b"".join(path.read_bytes() for path in run_program.state.glob(f"{JOURNAL_NAME}*"))
    assert b"forgettable" not in kept
    assert run_program("purge", "--older-than", "soon").exit_code == ExitCode.USAGE


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
    assert answer.exit_code == ExitCode.STOPPED
    assert str(tmp_path / "file") in answer.err


def test_exit_code_0_every_row_updated_or_unchanged(run_program, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [HEADINGS, [FIRST, "A", ""], [FIRST + 1, "", ""]])
    answer = run_program("run", sheet, "--yes")
    assert (answer.exit_code, answer.told["exit_code"]) == (ExitCode.DONE, 0)
    assert answer.counts == {"updated": 1, "unchanged": 1}
    assert answer.told["next"] is None


def test_exit_code_1_a_dry_run_with_invalid_rows(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [HEADINGS, [FIRST, "A", "no address"]])
    for command in (("check", sheet), ("run", sheet, "--dry-run")):
        assert run_program(*command).exit_code == ExitCode.INCOMPLETE
    assert not sandbox.requests


def test_exit_code_2_wrong_use_and_missing_settings(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 1)
    assert run_program("run", sheet, "--yes", password="").exit_code == ExitCode.USAGE
    assert run_program("run", sheet, "--sideways", json=False).exit_code == ExitCode.USAGE
    assert run_program("show", "20200101-000000-none").exit_code == ExitCode.USAGE
    assert run_program("run", sheet, "--yes", concurrency=0).exit_code == ExitCode.USAGE
    assert run_program("run", sheet, "--yes", "-o", tmp_path / "none" / "r.xlsx").exit_code == ExitCode.USAGE
    assert not sandbox.requests


def test_exit_code_3_the_file_is_refused(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [HEADINGS, [FIRST, "A", "no address"], [FIRST + 1, "B", ""]])
    refused = run_program("run", sheet, "--yes")
    assert (refused.exit_code, refused.told["run"]) == (ExitCode.FILE_REFUSED, None)
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    for name in ("broken.xlsx", "missing.csv"):
        answer = run_program("run", tmp_path / name, "--yes")
        assert answer.exit_code == ExitCode.FILE_REFUSED
        assert answer.told["exit_code"] == ExitCode.FILE_REFUSED
    assert not sandbox.requests


def test_quiet_says_nothing_but_errors(run_program, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 1)
    assert run_program("run", sheet, "--yes", "--quiet", json=False).err == ""
    assert "refuses the login" in run_program("run", sheet, "--yes", "--quiet", json=False, password="wrong").err


def test_an_ending_with_rows_left_is_never_called_done(mixed):
    _, answer = mixed
    assert "Done" not in answer.err
    assert "Not all rows went through" in answer.err


def test_the_suggested_command_can_be_pasted_whatever_the_file_is_called(run_program, tmp_path):
    name = "a';touch PWN;'$(touch PWN).csv"
    (tmp_path / name).write_text("CustomerId,Name\n1,x\n2,y\n2,z\n")
    for arguments in (["check", name], ["run", name, "--yes"]):
        done = run_program(*arguments)
        command = done.told["next"].replace("bulkupdate", "printf '%s\\n'", 1)
        pasted = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert name in pasted.stdout.splitlines()
        assert done.told["next"] in done.err
    assert not (tmp_path / "PWN").exists()
