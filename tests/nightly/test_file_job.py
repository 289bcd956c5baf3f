"""One file of a night: refused, sent, resumed or left. Against a real sandbox."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.nightly.file_job import MAX_READ_ATTEMPTS
from bulkupdate.nightly.folder import NightFolder
from bulkupdate.nightly.night_options import DuplicatePolicy
from bulkupdate.runs.context import open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import create_run
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import RunOptions, RunState
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.runs.sending.selection import Selection
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.responses import error_response
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import BAD, FIRST, NightEnvironment, bare, sheet
from tests.postgres import place_of
from tests.spreadsheets.reading.making import HEADING_ROW, write_raw_xlsx


def test_each_file_has_a_summary_and_reports(env: NightEnvironment) -> None:
    env.put("bad.csv", BAD, age=3)
    env.put("part.csv", sheet([FIRST, 999_999]), age=2)
    env.put("good.csv", sheet([FIRST + 1]), age=1)
    env.night()
    reports = sorted(path.name[25:] for path in (env.folder / "reports").iterdir())
    assert reports == [
        "bad-check.xlsx", "bad.json", "good-results.xlsx", "good.json", "part-results-to-fix.xlsx",
        "part-results.xlsx", "part.json",
    ]  # fmt: skip
    bad, part, good = (env.summary(name) for name in ("bad", "part", "good"))
    assert (bad["exit_code"], bad["run"], Path(bad["file"]).parent.name) == (3, None, "failed")
    assert (part["exit_code"], part["counts"]) == (1, {"rejected": 1, "updated": 1})
    assert (good["exit_code"], good["state"], good["name"]) == (0, "finished", "good.csv")
    assert load_workbook(good["results"])["Results"].max_row == 2
    for path in set(env.folder.rglob("*")) - {env.folder / "inbox"}:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_invalid_rows_are_skipped_if_asked_for(env: NightEnvironment) -> None:
    env.put("mixed.csv", f"CustomerId,IsWholesale\n{FIRST},yes\n{FIRST + 1},perhaps\n")
    assert env.night(skip_invalid=True) is ExitCode.INCOMPLETE
    assert env.places()["done"] == ["mixed.csv"]
    assert env.puts() == {str(FIRST): 1}
    assert env.summary("mixed")["counts"] == {"updated": 1, "invalid": 1}


def test_a_file_that_was_sent_before_is_reported(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        env.put("a.csv", sheet([FIRST]))
        assert env.night() is ExitCode.DONE
    assert "a file with this content was sent before" in caplog.text
    assert env.places()["done"] == ["a.csv", "a.csv"]


def test_a_file_that_always_fails_blocks_the_others_for_one_night_only(tmp_path: Path) -> None:
    """500 is ambiguous: many in succession look like a service that is down. If resuming makes no progress, it may
    be the file, and the next file is tried."""
    always = {customer: ["error-500"] * 99 for customer in range(FIRST, FIRST + 3)}
    with Sandbox(SandboxOptions(customers=50), plan=ScheduledFaults(customers=always)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"max_attempts": 1, "max_failures": 3, "concurrency": 1})
        env.put("poison.csv", sheet(range(FIRST, FIRST + 5)), age=60)
        env.put("good.csv", sheet([FIRST + 9]), age=50)
        assert env.night() is ExitCode.STOPPED
        assert env.places()["inbox"] == ["good.csv"]
        assert env.night() is ExitCode.STOPPED
        assert env.places() == {"inbox": [], "working": ["poison.csv"], "done": ["good.csv"], "failed": []}


def test_a_file_of_which_rows_were_settled_before_an_outage_is_not_to_blame(tmp_path: Path) -> None:
    """One was updated, one rejected: the service has gone down since, and the next file is not tried."""
    answers: dict[str, Any] = {}
    with Sandbox(SandboxOptions(customers=50)) as sandbox:
        sandbox.service.plan = lambda call: answers.get(call.customer_id, "error-503") if call.kind == "write" else None
        env = NightEnvironment(tmp_path, sandbox, {"max_failures": 1, "max_attempts": 1, "concurrency": 1})
        env.put("a.csv", sheet(range(FIRST, FIRST + 4)), age=60)
        env.put("b.csv", sheet([FIRST + 9]), age=50)
        assert env.night() is ExitCode.STOPPED
        answers |= {str(FIRST): None, str(FIRST + 1): error_response(400, "no")}
        assert env.night() is ExitCode.STOPPED
        assert env.summary("a")["counts"]["updated"] == env.summary("a")["counts"]["rejected"] == 1
        assert env.places()["inbox"] == ["b.csv"]


def test_a_run_finished_with_resume_is_only_archived(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    env.sandbox.stop()
    env.night()
    env.sandbox.start()
    with Journal(place_of(env.state), Clock()) as journal:
        run = journal.find_run()
        journal.set_state(run, RunState.FINISHED)
    env.night()
    assert env.places()["done"] == ["a.csv"]
    assert env.puts() == {}


def test_a_run_that_another_process_is_sending_is_left_alone(env: NightEnvironment) -> None:
    env.given["max_attempts"] = 1
    env.put("a.csv", sheet([FIRST]), age=60)
    env.sandbox.stop()
    env.night()
    env.sandbox.start()
    env.put("b.csv", sheet([FIRST + 1]))
    with Journal(place_of(env.state), Clock()) as journal, lock_run(journal, journal.find_run().id):
        assert env.night() is ExitCode.BUSY
    assert env.places() == {"inbox": [], "working": ["a.csv"], "done": ["b.csv"], "failed": []}


def test_the_journal_knows_the_new_path_of_the_file(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    env.night()
    with Journal(place_of(env.state), Clock()) as journal:
        assert Path(journal.find_run().file).parent == (env.folder / "done").resolve()


def test_results_that_cannot_be_written_are_written_the_next_night(
    env: NightEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at the end of a run: nothing is sent again, the next night writes them."""
    from bulkupdate.runs.sending import runner as running

    def fail(*_: object) -> None:
        raise UsageError("no space left")

    env.put("a.csv", sheet([FIRST]))
    with monkeypatch.context() as patch:
        patch.setattr(running, "write_run_results", fail)
        assert env.night() is ExitCode.STOPPED
    assert env.places()["working"] == ["a.csv"]
    assert env.night() is ExitCode.DONE
    assert env.places()["done"] == ["a.csv"]
    assert env.puts() == {str(FIRST): 1}


def test_a_run_of_another_service_is_not_sent(env: NightEnvironment, tmp_path: Path) -> None:
    env.put("a.csv", sheet([FIRST]))
    env.sandbox.stop()
    env.night()
    with Sandbox(SandboxOptions(customers=5)) as other:
        env.given["base_url"] = other.base_url
        with pytest.raises(UsageError, match="the settings name"):
            env.night()
        assert other.requests == ()
    assert env.places()["working"] == ["a.csv"]


def test_a_folder_that_was_moved_is_continued(env: NightEnvironment, tmp_path: Path) -> None:
    env.put("a.csv", sheet([FIRST]))
    env.sandbox.stop()
    env.night()
    env.sandbox.start()
    moved = NightEnvironment(tmp_path / "moved", env.sandbox, {"state_dir": env.state})
    (moved.folder / "inbox").rmdir()
    moved.folder.rmdir()
    env.folder.rename(moved.folder)
    assert moved.night() is ExitCode.DONE
    assert moved.places()["done"] == ["a.csv"]
    assert Path(str(moved.reports[0].run_report.results)).is_relative_to(moved.folder.resolve())


def test_a_file_that_kills_the_program_while_reading_is_refused(env: NightEnvironment) -> None:
    env.put("bomb.csv", sheet([FIRST]), age=60)
    env.put("good.csv", sheet([FIRST + 1]))
    folder = NightFolder(env.folder)
    claimed = folder.claim(env.folder / "inbox" / "bomb.csv", Clock().now())
    assert claimed is not None
    for _ in range(MAX_READ_ATTEMPTS):
        folder.register_read_attempt(claimed)  # as the killed calls did
    assert env.night() is ExitCode.FILE_REFUSED
    assert env.places() == {"inbox": [], "working": [], "done": ["good.csv"], "failed": ["bomb.csv"]}
    assert sorted(path.name for path in folder.state_folder.iterdir()) == ["identity", "lock"]


@pytest.mark.parametrize(("killed", "code"), [(1, ExitCode.DONE), (2, ExitCode.FILE_REFUSED)])
def test_after_one_kill_a_file_is_read_again_and_after_two_it_is_refused(
    env: NightEnvironment, killed: int, code: ExitCode
) -> None:
    """One may be a power cut."""
    env.put("a.csv", sheet([FIRST]))
    folder = NightFolder(env.folder)
    claimed = folder.claim(env.folder / "inbox" / "a.csv", Clock().now())
    for _ in range(killed):
        folder.register_read_attempt(claimed)
    assert env.night() is code


def test_a_bug_with_one_file_does_not_stop_the_others(
    env: NightEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from bulkupdate.nightly import file_job
    from bulkupdate.runs.loading.input_file import load_input_file

    right = load_input_file

    def stumble(path: Path, *given: object) -> object:
        if bare(path) == "odd.csv":
            raise ZeroDivisionError("Ann Secret")
        return right(path, *given)  # type: ignore[arg-type]

    caplog.set_level("DEBUG", "bulkupdate")
    monkeypatch.setattr(file_job, "load_input_file", stumble)
    env.put("odd.csv", sheet([FIRST]), age=60)
    env.put("good.csv", sheet([FIRST + 1]))
    assert env.night() is ExitCode.FILE_REFUSED
    assert env.places()["done"] == ["good.csv"]
    assert "ZeroDivisionError" in env.summary("odd")["reason"]
    assert "Ann Secret" not in json.dumps(env.summary("odd"))
    (record,) = [each for each in caplog.records if each.getMessage() == "the program itself failed while reading"]
    assert record.levelname == "DEBUG"  # its traceback may quote a cell
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_file_at_which_a_library_panics_does_not_stop_the_others(env: NightEnvironment) -> None:
    styles = '<numFmts><numFmt numFmtId="200" formatCode="yyyy"/></numFmts><cellXfs><xf/><xf numFmtId="200"/></cellXfs>'
    far_date = '<row r="2"><c r="A2"><v>163</v></c><c r="B2" s="01"><v>-441234567890</v></c></row>'
    path = env.put("panic.xlsx", "")
    write_raw_xlsx(path, HEADING_ROW + far_date, styles=styles)
    os.utime(path, (0, 0))
    env.put("good.csv", sheet([FIRST + 1]))
    assert env.night() is ExitCode.FILE_REFUSED
    assert (env.places()["failed"], env.places()["done"]) == (["panic.xlsx"], ["good.csv"])
    assert "its cells cannot be read" in env.summary("panic")["reason"]


def test_a_customer_whom_the_login_must_not_change_ends_no_night_before_the_other_files(env: NightEnvironment) -> None:
    env.sandbox.service.plan = lambda call: error_response(401, "no rights") if call.customer_id == str(FIRST) else None
    env.put("a.csv", sheet([FIRST, FIRST + 1]), age=60)
    env.put("b.csv", sheet([FIRST + 2]))
    for sent in ([], [FIRST + 1], [FIRST + 1, FIRST + 2]):  # the first row, the other row, the other file
        assert env.night() is ExitCode.STOPPED
        assert sorted(set(env.puts()) - {str(FIRST)}) == [str(customer) for customer in sent]
    assert (env.places()["working"], env.places()["done"]) == (["a.csv"], ["b.csv"])
    assert f"Customers/{FIRST}" in env.summary("a")["reason"]
    assert sum(each.run_report.calls for each in env.reports) == len(env.sandbox.requests), (
        "a.csv has those of all nights"
    )


def test_a_refused_file_says_what_to_do_and_is_not_finished(env: NightEnvironment) -> None:
    env.put("bad.csv", BAD, age=60)
    env.put("broken.xlsx", "no workbook", age=50)
    env.put("notes.txt", "no sheet", age=40)
    env.night()
    for name, advice in (
        ("bad.csv", "Correct it and put it back in inbox/ as bad.csv."),
        ("broken.xlsx", "Correct it and put it back in inbox/ as broken.xlsx."),
        ("notes.txt", "rename it to notes.csv. Save it as notes.xlsx or notes.csv, and put that in inbox/."),
    ):
        summary = env.summary(Path(name).stem)
        assert summary["reason"].endswith(advice)
        assert summary["next_args"][:2] == ["bulkupdate", "check"]
        assert Path(summary["next_args"][2]).parent == env.folder / "failed"
        assert (summary["outcome"], summary["state"], summary["run"]) == ("refused", "stopped", None)
    assert env.summary("notes")["problems"][0]["message"].startswith("notes.txt is not a supported file type")


def test_a_refused_file_says_how_many_of_its_rows_are_invalid(env: NightEnvironment) -> None:
    env.put("one.csv", BAD, age=9)
    env.put("two.csv", f"CustomerId,IsWholesale\n{FIRST},yes\n{FIRST + 1},perhaps\n{FIRST + 2},perhaps\n")
    env.night()
    assert env.summary("one")["message"] == "refused: 1 of 1 row is invalid, nothing was sent"
    assert env.summary("two")["message"] == "refused: 2 of 3 rows are invalid, nothing was sent"


def test_the_reason_is_logged_without_what_it_may_quote(
    env: NightEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    env.put("a.csv", "CustomerId,Anna Meier\n1,x\n")
    caplog.set_level("DEBUG", "bulkupdate")
    env.night()
    reasons = {each.levelname: each.getMessage() for each in caplog.records if "reason: " in each.getMessage()}
    assert reasons["WARNING"] == "reason: Correct it and put it back in inbox/ as a.csv."
    assert "Anna Meier" in reasons["DEBUG"]


def test_rows_with_nothing_to_send_are_not_counted_as_not_updated(env: NightEnvironment) -> None:
    env.put("a.csv", f"CustomerId,Name\n{FIRST},x\n{FIRST + 1},\n999998,x\n999999,x\n", age=9)
    env.put("b.csv", f"CustomerId,Name\n{FIRST},x\n{FIRST + 1},\n")
    env.night()
    assert env.summary("a")["message"] == "finished, but 2 of 4 rows were not updated"
    assert env.summary("b")["message"] == "done, 2 rows"


def test_the_reasons_of_rejected_rows_are_in_the_summary(env: NightEnvironment) -> None:
    env.put("part.csv", sheet([FIRST, 999_998, 999_999]))
    env.night()
    (reason,) = env.summary("part")["reasons"]
    assert (reason["status"], reason["count"]) == ("rejected", 2)


# -- content that was sent before -----------------------------------------------------------------------------------


def test_a_file_that_was_sent_before_is_sent_again_and_its_report_says_so(env: NightEnvironment) -> None:
    for name in ("a.csv", "b.csv"):
        env.put(name, sheet([FIRST]))
        assert env.night(duplicates=DuplicatePolicy.WARN) is ExitCode.DONE
    assert env.puts() == {str(FIRST): 2}
    run = env.summary("a")["run"]
    assert env.summary("a")["sent_before"] == ""
    assert f"run {run}, 1 of 1 row updated" in env.summary("b")["sent_before"]


def test_a_file_that_was_sent_before_can_be_skipped(env: NightEnvironment) -> None:
    for name in ("a.csv", "b.csv"):
        env.put(name, sheet([FIRST]))
        assert env.night(duplicates=DuplicatePolicy.SKIP) is ExitCode.DONE
    assert env.puts() == {str(FIRST): 1}
    assert env.places()["done"] == ["a.csv", "b.csv"]
    summary = env.summary("b")
    assert (summary["outcome"], summary["run"], summary["exit_code"]) == ("skipped", None, 0)


def test_a_file_whose_rows_were_not_all_updated_is_not_skipped(env: NightEnvironment) -> None:
    for name in ("a.csv", "b.csv"):
        env.put(name, sheet([FIRST, 999_999]))
        assert env.night(duplicates=DuplicatePolicy.SKIP) is ExitCode.INCOMPLETE
    assert env.puts() == {str(FIRST): 2, "999999": 2}


def test_a_file_that_was_sent_before_can_be_refused(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST, 999_999]))
    env.night()
    env.put("b.csv", sheet([FIRST, 999_999]))
    assert env.night(duplicates=DuplicatePolicy.REFUSE) is ExitCode.FILE_REFUSED
    assert env.puts() == {str(FIRST): 1, "999999": 1}
    assert env.places()["failed"] == ["b.csv"]
    assert "--duplicates warn" in env.summary("b")["reason"]


def test_a_file_that_was_refused_before_was_not_sent_before(env: NightEnvironment) -> None:
    for _ in range(2):
        env.put("bad.csv", BAD)
        env.night(duplicates=DuplicatePolicy.SKIP)
    assert env.places()["failed"] == ["bad.csv", "bad.csv"]


def test_a_file_of_which_nothing_was_updated_was_not_sent_before(env: NightEnvironment) -> None:
    for name in ("a.csv", "b.csv"):
        env.put(name, sheet([999_999]))
        assert env.night(duplicates=DuplicatePolicy.REFUSE) is ExitCode.INCOMPLETE
    assert env.summary("b")["sent_before"] == ""


def test_a_file_whose_customers_a_newer_run_has_updated_is_left_and_reported(env: NightEnvironment) -> None:
    """There is no user to ask at night: the newer values are kept, and the other files are sent."""
    env.given["max_attempts"] = 1
    env.put("a.csv", sheet([FIRST, FIRST + 1], "old"), age=60)
    env.sandbox.stop()
    env.night()
    env.sandbox.start()
    newer = env.root / "newer.csv"
    newer.write_text(sheet([FIRST + 1], "new"), encoding="utf-8")
    with open_context(env.settings, Clock(), threading.Event()) as context:
        checked = load_input_file(newer, env.settings, SheetOptions())
        selection = Selection(checked, context.settings.rating_format, "")
        run = create_run(context, "20260114-093849-k3v9x2mq", selection, RunOptions(), env.root / "newer.xlsx")
        execute_run(run, context, lambda _outcomes, _waiting: None)
    env.put("b.csv", sheet([FIRST + 2]))
    assert env.night() is ExitCode.STOPPED
    assert env.places() == {"inbox": [], "working": ["a.csv"], "done": ["b.csv"], "failed": []}
    assert env.sandbox.customer(FIRST + 1)["Name"] == "new"
    left = next(report for report in env.reports if report.name == "a.csv")
    assert run.id in left.reason
    assert left.sentence == "not continued: newer runs have updated its customers"
    assert "move its file out of working/" in left.reason
    assert left.run_report.to_json()["problems"][0]["code"] == "overtaken-run"


def test_the_customers_of_a_file_are_found_by_email(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    emails = [str((env.sandbox.customer(FIRST + at) or {})["Email"]) for at in range(2)]
    env.put("a.csv", f"Email,Name\n{emails[0]},A\n{emails[1].upper()},B\n")
    env.put("b.csv", f"Email,Name\n{emails[0]},A\nnobody@example.com,B\n")
    caplog.set_level("INFO")
    assert env.night(sheet=SheetOptions(key="Email")) is ExitCode.FILE_REFUSED
    assert env.puts() == {str(FIRST): 1, str(FIRST + 1): 1}
    assert (env.places()["done"], env.places()["failed"]) == (["a.csv"], ["b.csv"])
    assert "finding 2 customers by Email takes 2 requests" in caplog.text
    assert env.summary("a")["calls"] == 6, "a sign-in, three requests of the search, two updates"
    assert not any(email in caplog.text for email in emails)


def test_each_file_counts_the_requests_of_its_own_search(env: NightEnvironment) -> None:
    email = str((env.sandbox.customer(FIRST) or {})["Email"])
    env.put("a.csv", f"Email,Name\n{email},A\n", age=9)
    env.put("b.csv", f"CustomerId,Email,Name\n{FIRST + 1},,B\n")
    assert env.night(sheet=SheetOptions(key="Email")) is ExitCode.DONE
    assert env.reports[1].run_report.calls == 1, "its update"
    assert sum(each.run_report.calls for each in env.reports) == len(env.sandbox.requests)


def test_a_kill_during_the_search_is_not_blamed_on_the_file(env: NightEnvironment) -> None:
    seen: list[str] = []
    env.sandbox.service.plan = lambda _call: seen.extend(
        path.name for path in (env.folder / ".nightly").glob("reading-*")
    )
    env.put("a.csv", f"Email,Name\n{(env.sandbox.customer(FIRST) or {})['Email']},A\n")
    assert env.night(sheet=SheetOptions(key="Email")) is ExitCode.DONE
    assert seen == []
