"""One call over a real folder, against a real sandbox: what goes where, what stops what, what is told."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bulkupdate.cli.main import run_cli
from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import BusyError, ExitCode, JournalError, UsageError
from bulkupdate.nightly.file_job import READINGS
from bulkupdate.nightly.folder_lock import hold_folder
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.runner import RunOptions
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import BAD, FIRST, House, bare, sheet


def test_a_bad_file_stops_no_good_one_and_each_is_filed(house: House) -> None:
    house.put("1-bad.csv", BAD, age=90)
    house.put("2-good.csv", sheet([FIRST, FIRST + 1]), age=80)
    house.put("3-broken.xlsx", "PK no workbook", age=70)
    house.put("4-rejected.csv", sheet([FIRST + 2, 999_999]), age=60)
    house.put("5-photo.png", "x", age=50)
    house.put("6-good.csv", sheet([FIRST + 3]), age=40)
    assert house.night() is ExitCode.FILE_REFUSED
    assert house.places() == {
        "inbox": [],
        "working": [],
        "done": ["2-good.csv", "4-rejected.csv", "6-good.csv"],
        "failed": ["1-bad.csv", "3-broken.xlsx", "5-photo.png"],
    }
    assert house.puts() == {str(FIRST + n): 1 for n in range(4)} | {"999999": 1}
    assert [each.exit_code for each in house.reports] == [3, 0, 3, 1, 3, 0]


def test_each_file_has_its_summary_and_what_people_need(house: House) -> None:
    house.put("bad.csv", BAD, age=3)
    house.put("part.csv", sheet([FIRST, 999_999]), age=2)
    house.put("good.csv", sheet([FIRST + 1]), age=1)
    house.night()
    reports = sorted(path.name[25:] for path in (house.folder / "reports").iterdir())
    assert reports == [
        "bad-check.xlsx", "bad.json", "good-results.xlsx", "good.json", "part-results-to-fix.xlsx",
        "part-results.xlsx", "part.json",
    ]  # fmt: skip
    bad, part, good = (house.summary(name) for name in ("bad", "part", "good"))
    assert (bad["exit_code"], bad["run"], Path(bad["file"]).parent.name) == (3, None, "failed")
    assert (part["exit_code"], part["counts"]) == (1, {"rejected": 1, "updated": 1})
    assert (good["exit_code"], good["state"], good["name"]) == (0, "finished", "good.csv")
    assert load_workbook(good["results"])["Results"].max_row == 2
    for path in set(house.folder.rglob("*")) - {house.folder / "inbox"}:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_inbox_made_by_others_stays_as_they_made_it(house: House) -> None:
    (house.folder / "inbox").chmod(0o770)
    house.night()
    assert stat.S_IMODE((house.folder / "inbox").stat().st_mode) == 0o770


def test_invalid_rows_are_skipped_where_the_policy_says_so(house: House) -> None:
    house.put("mixed.csv", f"CustomerId,IsWholesale\n{FIRST},yes\n{FIRST + 1},perhaps\n")
    assert house.night(skip_invalid=True) is ExitCode.INCOMPLETE
    assert house.places()["done"] == ["mixed.csv"]
    assert house.puts() == {str(FIRST): 1}
    assert house.summary("mixed")["counts"] == {"updated": 1, "invalid": 1}


def test_the_oldest_is_sent_first(house: House) -> None:
    for name, customer, age in (("b.csv", 1, 20), ("a.csv", 2, 10), ("c.csv", 3, 30)):
        house.put(name, sheet([FIRST + customer]), age=age)
    house.night()
    sent = [each.customer_id for each in house.sandbox.requests if each.method == "PUT"]
    assert sent == [str(FIRST + customer) for customer in (3, 1, 2)]


def test_a_night_with_nothing_to_do_is_all_well_and_asks_nobody(house: House) -> None:
    assert house.night() is ExitCode.DONE
    assert house.sandbox.requests == ()


def test_a_folder_without_inbox_may_be_a_mistyped_one_and_is_warned_of(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.folder.rename(house.root / "the right one")
    assert house.night() == ExitCode.DONE
    assert "had no inbox/" in caplog.text
    caplog.clear()
    assert house.night() == ExitCode.DONE
    assert "had no inbox/" not in caplog.text


def test_the_same_file_again_is_sent_again_and_warned_of(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        house.put("a.csv", sheet([FIRST]))
        assert house.night() is ExitCode.DONE
    assert "a file with this content was sent before" in caplog.text
    assert house.places()["done"] == ["a.csv", "a.csv"]


# -- stopping and going on ------------------------------------------------------------------------------------------


def test_a_file_that_could_not_be_finished_comes_first_the_next_night(house: House) -> None:
    house.put("old.csv", sheet(range(FIRST, FIRST + 5)), age=60)
    house.sandbox.stop()
    assert house.night() is ExitCode.STOPPED
    assert house.places()["working"] == ["old.csv"]
    assert house.summary("old")["counts"] == {"not attempted": 5}
    assert len(list((house.folder / "reports").glob("*-old-results-to-fix.xlsx"))) == 1
    house.sandbox.start()
    house.put("older-but-new.csv", sheet([FIRST + 9]), age=600)
    assert house.night() is ExitCode.DONE
    assert [Path(str(each.run_report.file)).name[25:] for each in house.reports] == ["old.csv", "older-but-new.csv"]
    assert house.places()["working"] == []
    assert house.puts() == {str(FIRST + n): 1 for n in (0, 1, 2, 3, 4, 9)}
    reports = sorted(path.name[25:] for path in (house.folder / "reports").glob("*-old[-.]*"))
    assert reports == ["old-results.xlsx", "old.json"]  # none of the stopped night's rows is left to fix


def test_what_stops_one_file_stops_the_night_and_the_others_keep_waiting(house: House) -> None:
    house.given["max_attempts"] = 1
    house.put("a.csv", sheet([FIRST]), age=60)
    house.put("b.csv", sheet([FIRST + 1]), age=50)
    house.sandbox.stop()
    assert house.night() is ExitCode.STOPPED
    assert house.places() == {"inbox": ["b.csv"], "working": ["a.csv"], "done": [], "failed": []}


def test_a_wrong_password_is_tried_once_a_night(house: House) -> None:
    from bulkupdate.settings import Secret

    house.given["password"] = Secret("wrong")
    house.put("a.csv", sheet([FIRST]), age=60)
    house.put("b.csv", sheet([FIRST + 1]), age=50)
    assert house.night() is ExitCode.STOPPED
    assert [each.kind for each in house.sandbox.requests] == ["token"]


def test_a_file_whose_rows_the_service_always_fails_on_holds_up_the_others_one_night_only(tmp_path: Path) -> None:
    """500 is ambiguous: so many in a row look like a service that is down. If resuming comes no further, it may be the
    file's own trouble, and the next file is tried."""
    always = {customer: ["error-500"] * 99 for customer in range(FIRST, FIRST + 3)}
    with Sandbox(SandboxOptions(customers=50), plan=ScheduledFaults(customers=always)) as sandbox:
        house = House(tmp_path, sandbox, {"max_attempts": 1, "max_failures": 3, "concurrency": 1})
        house.put("poison.csv", sheet(range(FIRST, FIRST + 5)), age=60)
        house.put("good.csv", sheet([FIRST + 9]), age=50)
        assert house.night() is ExitCode.STOPPED
        assert house.places()["inbox"] == ["good.csv"]
        assert house.night() is ExitCode.STOPPED
        assert house.places() == {"inbox": [], "working": ["poison.csv"], "done": ["good.csv"], "failed": []}


def test_a_run_that_was_resumed_by_hand_is_only_filed(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    house.sandbox.stop()
    house.night()
    house.sandbox.start()
    with Journal(house.state, Clock()) as journal:
        run = journal.find_run()
        journal.set_state(run, RunState.FINISHED)
    house.night()
    assert house.places()["done"] == ["a.csv"]
    assert house.puts() == {}


def test_a_run_that_someone_resumes_just_now_is_left_to_them(house: House) -> None:
    house.given["max_attempts"] = 1
    house.put("a.csv", sheet([FIRST]), age=60)
    house.sandbox.stop()
    house.night()
    house.sandbox.start()
    house.put("b.csv", sheet([FIRST + 1]))
    with Journal(house.state, Clock()) as journal:
        run_id = journal.find_run().id
    with lock_run(house.state, run_id):
        assert house.night() is ExitCode.BUSY
    assert house.places() == {"inbox": [], "working": ["a.csv"], "done": ["b.csv"], "failed": []}


def test_the_journal_knows_where_the_file_went_so_that_retry_writes_beside_it(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    house.night()
    with Journal(house.state, Clock()) as journal:
        assert Path(journal.find_run().file).parent == (house.folder / "done").resolve()


def test_results_that_cannot_be_written_keep_the_file_until_they_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at the end of a run: nothing is sent again, the next night writes them."""
    from bulkupdate.runs import runner as running

    def fail(*_: object) -> None:
        raise UsageError("no space left")

    house.put("a.csv", sheet([FIRST]))
    with monkeypatch.context() as patch:
        patch.setattr(running, "write_run_results", fail)
        assert house.night() is ExitCode.STOPPED
    assert house.places()["working"] == ["a.csv"]
    assert house.night() is ExitCode.DONE
    assert house.places()["done"] == ["a.csv"]
    assert house.puts() == {str(FIRST): 1}


def test_another_services_run_is_not_sent_to_this_one(house: House, tmp_path: Path) -> None:
    house.put("a.csv", sheet([FIRST]))
    house.sandbox.stop()
    house.night()
    with Sandbox(SandboxOptions(customers=5)) as other:
        house.given["base_url"] = other.base_url
        with pytest.raises(UsageError, match="the settings name"):
            house.night()
        assert other.requests == ()
    assert house.places()["working"] == ["a.csv"]


def test_a_folder_that_was_moved_goes_on(house: House, tmp_path: Path) -> None:
    house.put("a.csv", sheet([FIRST]))
    house.sandbox.stop()
    house.night()
    house.sandbox.start()
    moved = House(tmp_path / "moved", house.sandbox, {"state_dir": house.state})
    (moved.folder / "inbox").rmdir()
    moved.folder.rmdir()
    house.folder.rename(moved.folder)
    assert moved.night() is ExitCode.DONE
    assert moved.places()["done"] == ["a.csv"]
    assert Path(str(moved.reports[0].run_report.results)).is_relative_to(moved.folder.resolve())


# -- the window -----------------------------------------------------------------------------------------------------


def test_when_the_time_is_over_no_further_row_is_taken_and_the_rest_is_resumed(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=2_000, latency_seconds=0.05)) as sandbox:
        house = House(tmp_path, sandbox, {"concurrency": 2})
        house.put("a.csv", sheet(range(FIRST, FIRST + 80)), age=60)
        house.put("b.csv", sheet([FIRST + 900]), age=50)
        end = Clock().now() + 1.0
        assert house.night(end=end) is ExitCode.STOPPED
        assert max(each.at for each in sandbox.requests) < end + 0.3
        summary = house.summary("a")
        assert summary["state"] == "stopped"
        assert summary["counts"]["not attempted"] + summary["counts"]["updated"] == 80
        assert "The time for sending ended" in summary["reason"]
        assert house.places()["inbox"] == ["b.csv"]
        with Journal(house.state, Clock()) as journal:
            assert "The time for sending ended" in journal.find_run().stopped_by
        assert house.night() is ExitCode.DONE
        assert set(house.puts().values()) == {1}
        assert sum(house.puts().values()) == 81


def test_the_window_also_ends_a_wait_for_quota(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=50)) as sandbox:
        house = House(tmp_path, sandbox, {"requests_per_hour": 5})
        house.put("a.csv", sheet(range(FIRST, FIRST + 20)))
        end = Clock().now() + 1.0
        assert house.night(end=end) is ExitCode.STOPPED
        assert Clock().now() < end + 3
        assert house.summary("a")["counts"] == {"updated": 4, "not attempted": 16}


def test_files_left_because_the_time_is_over_are_no_success(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    stop = Cancellation()
    from bulkupdate.nightly.window import WindowClosedError

    stop.request_stop(WindowClosedError("over"))
    assert house.night(stop=stop) is ExitCode.STOPPED
    assert house.places()["inbox"] == ["a.csv"]


@pytest.mark.parametrize(("quota", "fits"), [(50, 49), (0, 100)])
def test_the_plan_says_how_many_rows_fit(house: House, caplog: pytest.LogCaptureFixture, quota: int, fits: int) -> None:
    caplog.set_level("INFO")
    house.given["requests_per_hour"] = quota
    house.put("a.csv", sheet(range(FIRST, FIRST + 100)))
    house.night(end=Clock().now() + 0.8)
    assert f"plan: 100 rows to send, {fits} of them fit the quota by" in caplog.text


def test_the_window_also_ends_reading_what_is_live(tmp_path: Path) -> None:
    """With --only-changes the live customers are read before anything is sent: the next night begins anew."""
    with Sandbox(SandboxOptions(customers=50, latency_seconds=0.1)) as sandbox:
        house = House(tmp_path, sandbox, {"concurrency": 1})
        house.put("a.csv", "CustomerId,Title\n" + "".join(f"{FIRST + n},Ms\n" for n in range(30)))
        asked = RunOptions(only_changes=True)
        assert house.night(end=Clock().now() + 0.6, run_options=asked) is ExitCode.STOPPED
        assert house.puts() == {}
        assert house.places()["working"] == ["a.csv"]
        house.given["concurrency"] = 8
        assert house.night(run_options=asked) is ExitCode.DONE
        assert house.places()["done"] == ["a.csv"]


# -- stopping by a person, other calls, bad ground ------------------------------------------------------------------


def test_a_person_may_end_the_night(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    stop = Cancellation()
    stop.set()
    assert house.night(stop=stop) is ExitCode.INTERRUPTED
    assert house.places()["inbox"] == ["a.csv"]


def test_a_folder_that_is_held_is_left_alone(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    (house.folder / ".nightly").mkdir()
    with hold_folder(house.folder / ".nightly", Clock()), pytest.raises(BusyError):
        house.night()
    assert house.places()["inbox"] == ["a.csv"]


def test_a_damaged_journal_moves_no_file(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    house.state.mkdir()
    (house.state / "journal.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(JournalError):
        house.night()
    assert house.places()["inbox"] == ["a.csv"]


def test_a_missing_setting_is_found_before_a_file_is_touched(house: House) -> None:
    house.given["username"] = ""
    house.put("a.csv", sheet([FIRST]))
    with pytest.raises(UsageError, match="BULKUPDATE_USERNAME"):
        house.night()
    assert house.places()["inbox"] == ["a.csv"]


# -- bugs and bombs -------------------------------------------------------------------------------------------------


def test_a_file_that_ends_the_program_while_it_is_read_is_put_aside(house: House) -> None:
    from bulkupdate.nightly.folder import NightFolder

    house.put("bomb.csv", sheet([FIRST]), age=60)
    house.put("good.csv", sheet([FIRST + 1]))
    folder = NightFolder(house.folder)
    taken = folder.take(house.folder / "inbox" / "bomb.csv", Clock().now())
    assert taken is not None
    for _ in range(READINGS):
        folder.register_read_attempt(taken)  # as the killed calls did
    assert house.night() is ExitCode.FILE_REFUSED
    assert house.places() == {"inbox": [], "working": [], "done": ["good.csv"], "failed": ["bomb.csv"]}
    assert sorted(path.name for path in folder.own.iterdir()) == ["lock"]


def test_a_bug_that_one_file_meets_stops_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from bulkupdate.nightly import file_job
    from bulkupdate.runs.input_file import load_input_file

    right = load_input_file

    def stumble(path: Path, *given: object) -> object:
        if bare(path) == "odd.csv":
            raise ZeroDivisionError("Ann Secret")
        return right(path, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(file_job, "load_input_file", stumble)
    house.put("odd.csv", sheet([FIRST]), age=60)
    house.put("good.csv", sheet([FIRST + 1]))
    assert house.night() is ExitCode.FILE_REFUSED
    assert house.places()["done"] == ["good.csv"]
    assert "ZeroDivisionError" in house.summary("odd")["reason"]
    assert "Ann Secret" not in json.dumps(house.summary("odd"))


# -- what the log tells ---------------------------------------------------------------------------------------------


def test_the_log_names_run_and_row_and_no_customer(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    hostile = "Ann\x1b[31m Secret"
    house.put("secret.csv", f'CustomerId,Name\n{FIRST},{hostile}\n999999,"{hostile}\nline"\n', age=60)
    house.put("no-heading.csv", f"{FIRST},{hostile}\n", age=50)
    house.put("bad.csv", f"CustomerId,Email\n{FIRST},{hostile}\n", age=40)
    house.night()
    told: Sequence[str] = [json.dumps(vars(record), default=str) + record.getMessage() for record in caplog.records]
    ours = [line for line in told if '"name": "bulkupdate"' in line]
    assert ours
    assert not [line for line in ours if "Secret" in line or str(FIRST) in line or "999999" in line]
    (row,) = [record for record in caplog.records if record.getMessage() == "row not updated"]
    assert (row.row, row.status) == (3, Status.REJECTED)  # type: ignore[attr-defined]
    assert row.run == house.summary("secret")["run"]  # type: ignore[attr-defined]


def test_no_thread_is_left_behind(house: House) -> None:
    house.put("a.csv", sheet([FIRST]))
    before = {thread.name for thread in threading.enumerate()}
    house.night(end=Clock().now() + 3600)
    assert {thread.name for thread in threading.enumerate()} <= before


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command line, in this process; gives the exit code."""
    for name, value in house.environment().items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_cli(["nightly", str(house.folder), "--settle", "0", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--until", "soon"), "no time of day"),
        (("--invalid", "maybe"), "maybe"),
        (("--log-file", "/no/such/folder/a.log"), "log file"),
        (("--map", "x"), "HEADING=FIELD"),
        (("--mail-host", "mail.example.com"), "BULKUPDATE_MAIL_FROM"),
        (("--password", "x"), "--password"),
        (("--mail-password", "x"), "--mail-password"),
        (("--webhook-url", "x"), "--webhook-url"),
    ],
)
def test_wrong_use_and_secrets_as_options_are_refused_before_a_file_is_touched(
    house: House,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    house.put("a.csv", sheet([FIRST]))
    assert command(*arguments) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert house.places()["inbox"] == ["a.csv"]


def test_with_json_stdout_has_one_line_a_file_and_nothing_else(
    house: House, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    house.put("a.csv", sheet([FIRST]), age=2)
    house.put("bad.csv", BAD, age=1)
    assert command("--json", "--quiet") == ExitCode.FILE_REFUSED
    said = capsys.readouterr()
    assert said.err == ""
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["exit_code"] for line in lines] == [0, 3]
    assert set(lines[0]) == {
        "run", "file", "state", "started", "rows", "counts", "problems", "calls", "exit_code", "results", "next",
    }  # fmt: skip
    assert all(Path(line["file"]).is_file() and Path(line["results"]).is_file() for line in lines)


def test_skipping_is_asked_for_by_its_policy(house: House, command: Callable[..., int]) -> None:
    house.put("mixed.csv", f"CustomerId,IsWholesale\n{FIRST},yes\n{FIRST + 1},perhaps\n")
    assert command("--invalid", "skip") == ExitCode.INCOMPLETE
    assert house.puts() == {str(FIRST): 1}
