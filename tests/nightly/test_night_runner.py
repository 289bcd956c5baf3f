"""Nights in a real folder, against a real sandbox: order, stops, the window, the log, the command."""

from __future__ import annotations

import json
import stat
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bulkupdate.cli.main import run_cli
from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import BusyError, ExitCode, JournalError, UsageError
from bulkupdate.nightly.folder import NightFolder
from bulkupdate.nightly.folder_lock import hold_folder
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import BAD, FIRST, NightEnvironment, sheet
from tests.nightly.receivers import Listener
from tests.postgres import only_files, place_of


def test_a_bad_file_does_not_stop_a_good_one_and_each_is_archived(env: NightEnvironment) -> None:
    env.put("1-bad.csv", BAD, age=90)
    env.put("2-good.csv", sheet([FIRST, FIRST + 1]), age=80)
    env.put("3-broken.xlsx", "PK no workbook", age=70)
    env.put("4-rejected.csv", sheet([FIRST + 2, 999_999]), age=60)
    env.put("5-photo.png", "x", age=50)
    env.put("6-good.csv", sheet([FIRST + 3]), age=40)
    assert env.night() is ExitCode.FILE_REFUSED
    assert env.places() == {
        "inbox": [],
        "working": [],
        "done": ["2-good.csv", "4-rejected.csv", "6-good.csv"],
        "failed": ["1-bad.csv", "3-broken.xlsx", "5-photo.png"],
    }
    assert env.puts() == {str(FIRST + n): 1 for n in range(4)} | {"999999": 1}
    assert [each.exit_code for each in env.reports] == [3, 0, 3, 1, 3, 0]


def test_permissions_of_an_existing_inbox_are_kept(env: NightEnvironment) -> None:
    (env.folder / "inbox").chmod(0o770)
    env.night()
    assert stat.S_IMODE((env.folder / "inbox").stat().st_mode) == 0o770


def test_the_oldest_is_sent_first(env: NightEnvironment) -> None:
    for name, customer, age in (("b.csv", 1, 20), ("a.csv", 2, 10), ("c.csv", 3, 30)):
        env.put(name, sheet([FIRST + customer]), age=age)
    env.night()
    sent = [each.customer_id for each in env.sandbox.requests if each.method == "PUT"]
    assert sent == [str(FIRST + customer) for customer in (3, 1, 2)]


def test_an_empty_night_sends_no_request(env: NightEnvironment) -> None:
    assert env.night() is ExitCode.DONE
    assert env.sandbox.requests == ()


def test_a_mistyped_folder_is_an_error_and_is_not_created(env: NightEnvironment) -> None:
    right = env.folder.rename(env.root / "right")
    with pytest.raises(UsageError, match="has no subfolder inbox/"):
        env.night()
    assert not env.folder.exists()
    right.rename(env.folder)
    assert env.night() is ExitCode.DONE


def test_a_folder_is_set_up_if_asked_for(env: NightEnvironment) -> None:
    (env.folder / "inbox").rmdir()
    assert env.night(create=True) is ExitCode.DONE
    assert (env.folder / "inbox").is_dir()


def test_the_exit_code_of_a_night_is_the_highest_of_its_files(env: NightEnvironment) -> None:
    env.put("1-refused.csv", BAD, age=30)
    env.put("2-incomplete.csv", sheet([FIRST, 999_999]), age=20)
    env.put("3-done.csv", sheet([FIRST + 1]), age=10)
    assert env.night() is ExitCode.FILE_REFUSED
    assert [int(each.exit_code) for each in env.reports] == [3, 1, 0]
    env.put("4-incomplete.csv", sheet([FIRST, 999_998]), age=20)
    env.put("5-done.csv", sheet([FIRST + 2]), age=10)
    assert env.night() is ExitCode.INCOMPLETE


def test_a_night_signs_in_once_whatever_the_number_of_its_files(env: NightEnvironment) -> None:
    for number in range(5):
        env.put(f"{number}.csv", sheet([FIRST + number]), age=60 - number)
    assert env.night() is ExitCode.DONE
    assert [each.kind for each in env.sandbox.requests].count("token") == 1
    assert [each.run_report.calls for each in env.reports] == [2, 1, 1, 1, 1]
    assert env.report.requests == len(env.sandbox.requests) == 6


# -- the summary ----------------------------------------------------------------------------------------------------


def summaries(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.getMessage().startswith("night ")]


def test_an_empty_night_has_a_summary(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    env.night()
    assert summaries(caplog) == [f"night begins: {env.folder}", "night ends: 0 files, 0 rows, exit code 0"]


def test_a_night_has_a_summary_of_files_rows_and_files_left_behind(
    env: NightEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    env.put("bad.csv", BAD, age=30)
    env.put("part.csv", sheet([FIRST, 999_999]), age=20)
    env.put("left.csv.part", "", age=90_000)
    env.night()
    assert summaries(caplog)[1] == (
        "night ends: 2 files (1 incomplete, 1 refused), 3 rows (1 updated, 1 invalid, 1 rejected), "
        "1 file left behind (1 for more than a day), exit code 3"
    )


def test_a_failed_notification_is_in_the_summary_and_does_not_change_the_exit_code(
    env: NightEnvironment, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    env.given["webhook_url"] = listener.settings.webhook_url
    listener.answers = [404]
    env.put("a.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert summaries(caplog) == ["night ends: 1 file (1 done), 1 row (1 updated), 1 notification failed, exit code 0"]
    assert env.report.to_json()["failed_notifications"] == 1


def test_a_night_that_fails_has_a_summary_with_the_error(
    env: NightEnvironment, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    env.given |= {"username": "", "webhook_url": listener.settings.webhook_url}
    with pytest.raises(UsageError):
        env.night()
    assert summaries(caplog)[0].startswith("night failed: To reach the service, this setting is missing: BULKUPDATE_U")
    assert summaries(caplog)[1] == "night ends: 0 files, 0 rows, exit code 2"
    assert listener.posts[0]["exit_code"] == 2
    assert listener.posts[0]["problems"][0]["code"] == "usage"


# -- stopping and going on ------------------------------------------------------------------------------------------


def test_an_unfinished_file_comes_first_the_next_night(env: NightEnvironment) -> None:
    env.put("old.csv", sheet(range(FIRST, FIRST + 5)), age=60)
    env.sandbox.stop()
    assert env.night() is ExitCode.STOPPED
    assert env.places()["working"] == ["old.csv"]
    assert env.summary("old")["counts"] == {"not attempted": 5}
    assert env.summary("old")["message"] == "stopped, 5 of 5 rows left; the next night continues"
    assert not list((env.folder / "reports").glob("*-to-fix.xlsx")), (
        "no row is to be corrected, the next night sends them"
    )
    env.sandbox.start()
    env.put("older-but-new.csv", sheet([FIRST + 9]), age=600)
    assert env.night() is ExitCode.DONE
    assert [Path(str(each.run_report.file)).name[25:] for each in env.reports] == ["old.csv", "older-but-new.csv"]
    assert env.places()["working"] == []
    assert env.puts() == {str(FIRST + n): 1 for n in (0, 1, 2, 3, 4, 9)}
    reports = sorted(path.name[25:] for path in (env.folder / "reports").glob("*-old[-.]*"))
    assert reports == ["old-results.xlsx", "old.json"]


def test_a_file_that_was_claimed_but_not_begun_comes_before_the_inbox(env: NightEnvironment) -> None:
    claimed = NightFolder(env.folder).claim(env.put("z.csv", sheet([FIRST])), Clock().now())
    env.put("a.csv", sheet([FIRST + 1]), age=600)
    assert env.night() is ExitCode.DONE
    assert [each.name for each in env.reports] == [claimed.original_name, "a.csv"]


def test_an_outage_stops_the_night_and_the_other_files_wait(env: NightEnvironment) -> None:
    env.given["max_attempts"] = 1
    env.put("a.csv", sheet([FIRST]), age=60)
    env.put("b.csv", sheet([FIRST + 1]), age=50)
    env.sandbox.stop()
    assert env.night() is ExitCode.STOPPED
    assert env.places() == {"inbox": ["b.csv"], "working": ["a.csv"], "done": [], "failed": []}


def test_a_wrong_password_is_tried_once_a_night(env: NightEnvironment) -> None:
    from bulkupdate.redaction import Secret

    env.given["password"] = Secret("wrong")
    env.put("a.csv", sheet([FIRST]), age=60)
    env.put("b.csv", sheet([FIRST + 1]), age=50)
    assert env.night() is ExitCode.STOPPED
    assert [each.kind for each in env.sandbox.requests] == ["token"]


# -- the window -----------------------------------------------------------------------------------------------------


class JumpingClock(Clock):
    """Ten minutes pass at once when the service has received this number of requests."""

    SECONDS = 600.0

    def __init__(self, sandbox: Sandbox, requests: int) -> None:
        self._sandbox, self._requests = sandbox, requests

    def now(self) -> float:
        return super().now() + (self.SECONDS if len(self._sandbox.requests) >= self._requests else 0.0)


def test_after_the_window_no_row_is_sent_and_the_next_night_resumes(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=2_000, latency_seconds=0.1)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"concurrency": 2})
        env.put("a.csv", sheet(range(FIRST, FIRST + 80)), age=60)
        env.put("b.csv", sheet([FIRST + 900]), age=50)
        clock = JumpingClock(sandbox, 10)
        assert env.night(clock, end=clock.now() + JumpingClock.SECONDS) is ExitCode.STOPPED
        assert 10 <= len(sandbox.requests) < 80, "the clock is read every second"
        summary = env.summary("a")
        assert summary["state"] == "stopped"
        assert summary["counts"]["not attempted"] + summary["counts"]["updated"] == 80
        assert "The time for sending ended" in summary["reason"]
        assert summary["message"].startswith(f"stopped, {summary['counts']['not attempted']} of 80 rows left;")
        assert env.places()["inbox"] == ["b.csv"]
        with Journal(place_of(env.state), Clock()) as journal:
            assert "The time for sending ended" in journal.find_run().stopped_by
        assert env.report
        assert env.report.requests == len(sandbox.requests)
        before = len(sandbox.requests)
        assert env.night() is ExitCode.DONE
        assert env.report.requests == len(sandbox.requests) - before, "those of this night"
        assert set(env.puts().values()) == {1}
        assert sum(env.puts().values()) == 81


def test_the_window_ends_a_wait_for_quota(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=50)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"requests_per_hour": 5})
        env.put("a.csv", sheet(range(FIRST, FIRST + 20)))
        clock = JumpingClock(sandbox, 5)
        assert env.night(clock, end=clock.now() + JumpingClock.SECONDS) is ExitCode.STOPPED
        assert env.summary("a")["counts"] == {"updated": 4, "not attempted": 16}


def test_files_left_after_the_window_are_not_a_success(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    stop = Cancellation()
    from bulkupdate.nightly.window import WindowClosedError

    stop.request_stop(WindowClosedError("over"))
    assert env.night(stop=stop) is ExitCode.STOPPED
    assert env.places()["inbox"] == ["a.csv"]


def test_the_window_ends_fetching_live_customers(tmp_path: Path) -> None:
    """With --only-changes the live customers are fetched before anything is sent: the next night starts again."""
    with Sandbox(SandboxOptions(customers=50, latency_seconds=0.1)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"concurrency": 1})
        env.put("a.csv", "CustomerId,Title\n" + "".join(f"{FIRST + n},Ms\n" for n in range(30)))
        asked = RunOptions(only_changes=True)
        assert env.night(end=Clock().now() + 0.6, run_options=asked) is ExitCode.STOPPED
        assert env.report
        assert env.report.requests == len(sandbox.requests) > 2, "also of a file of which nothing was sent"
        assert env.puts() == {}
        assert env.places()["working"] == ["a.csv"]
        env.given["concurrency"] = 8
        assert env.night(run_options=asked) is ExitCode.DONE
        assert env.places()["done"] == ["a.csv"]


# -- stopping by a person, other calls, bad ground ------------------------------------------------------------------


def test_an_interrupted_night_leaves_the_files_in_the_inbox(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    stop = Cancellation()
    stop.set()
    assert env.night(stop=stop) is ExitCode.INTERRUPTED
    assert env.places()["inbox"] == ["a.csv"]
    assert [(each.name, each.reason) for each in env.report.left_files] == [("inbox/a.csv", "not-reached")]


def test_a_locked_folder_is_left_alone(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    (env.folder / ".nightly").mkdir()
    with hold_folder(env.folder / ".nightly", Clock()), pytest.raises(BusyError):
        env.night()
    assert env.places()["inbox"] == ["a.csv"]


@only_files
def test_a_night_that_finds_the_folder_in_use_does_not_wait_for_a_check_of_the_journal(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    with (env.state / "journal.sqlite3").open("r+b") as stream:
        stream.seek(4096 * 3 // 2)
        stream.write(b"\xa5" * 4096 * 3)
    with pytest.raises(JournalError, match="damaged"):
        env.night()
    with hold_folder(env.folder / ".nightly", Clock()), pytest.raises(BusyError):
        env.night()


@only_files
def test_with_a_damaged_journal_no_file_is_moved(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    env.state.mkdir()
    (env.state / "journal.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(JournalError):
        env.night()
    assert env.places()["inbox"] == ["a.csv"]


def test_with_a_missing_setting_no_file_is_moved(env: NightEnvironment) -> None:
    env.given["username"] = ""
    env.put("a.csv", sheet([FIRST]))
    with pytest.raises(UsageError, match="BULKUPDATE_USERNAME"):
        env.night()
    assert env.places()["inbox"] == ["a.csv"]


# -- bugs and bombs -------------------------------------------------------------------------------------------------


# -- the log -------------------------------------------------------------------------------------------------------


def test_the_log_has_run_and_row_but_no_customer_data(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    hostile = "Ann\x1b[31m Secret"
    env.put("secret.csv", f'CustomerId,Name\n{FIRST},{hostile}\n999999,"{hostile}\nline"\n', age=60)
    env.put("no-heading.csv", f"{FIRST},{hostile}\n", age=50)
    env.put("bad.csv", f"CustomerId,Email\n{FIRST},{hostile}\n", age=40)
    env.night()
    lines: Sequence[str] = [json.dumps(vars(record), default=str) + record.getMessage() for record in caplog.records]
    own = [line for line in lines if '"name": "bulkupdate"' in line]
    assert own
    assert not [line for line in own if "Secret" in line or str(FIRST) in line or "999999" in line]
    (row,) = [record for record in caplog.records if record.getMessage() == "row not updated"]
    assert (row.row, row.status) == (3, Status.REJECTED)  # type: ignore[attr-defined]
    assert row.run == env.summary("secret")["run"]  # type: ignore[attr-defined]


def test_no_thread_is_left_behind(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    before = {thread.name for thread in threading.enumerate()}
    env.night(end=Clock().now() + 3600)
    new = {thread.name for thread in threading.enumerate()} - before
    assert not [name for name in new if not name.startswith("waitress")], "but for those of the sandbox"


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(env: NightEnvironment, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command line, in this process; gives the exit code."""
    for name, value in env.environment().items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_cli(["nightly", str(env.folder), "--settle", "0", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--until", "soon"), "not a time of day"),
        (("--invalid", "maybe"), "maybe"),
        (("--log-file", "/no/such/folder/a.log"), "log file"),
        (("--map", "x"), "HEADING=FIELD"),
        (("--mail-host", "mail.example.com"), "BULKUPDATE_MAIL_FROM"),
        (("--password", "x"), "--password"),
        (("--mail-password", "x"), "--mail-password"),
        (("--webhook-url", "x"), "--webhook-url"),
    ],
)
def test_wrong_options_and_secrets_as_options_are_refused(
    env: NightEnvironment,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    env.put("a.csv", sheet([FIRST]))
    assert command(*arguments) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert env.places()["inbox"] == ["a.csv"]


def test_json_prints_one_line_a_file_and_one_about_the_night(
    env: NightEnvironment, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    env.put("a.csv", sheet([FIRST]), age=2)
    env.put("bad.csv", BAD, age=1)
    assert command("--json", "--quiet") == ExitCode.FILE_REFUSED
    said = capsys.readouterr()
    *lines, night = [json.loads(line) for line in said.out.splitlines()]
    assert [line["exit_code"] for line in lines] == [0, 3]
    assert set(lines[0]) >= {
        "run", "file", "state", "started", "rows", "counts", "problems", "calls", "exit_code", "results", "next",
    }  # fmt: skip
    assert night["night"] is True
    assert (night["files"], night["outcomes"], night["exit_code"]) == (2, {"done": 1, "refused": 1}, 3)
    assert (night["rows"], night["counts"], night["calls"]) == (2, {"updated": 1, "invalid": 1}, 2)
    assert all(Path(line["file"]).is_file() and Path(line["results"]).is_file() for line in lines)


def test_the_option_to_skip_invalid_rows(env: NightEnvironment, command: Callable[..., int]) -> None:
    env.put("mixed.csv", f"CustomerId,IsWholesale\n{FIRST},yes\n{FIRST + 1},perhaps\n")
    assert command("--invalid", "skip") == ExitCode.INCOMPLETE
    assert env.puts() == {str(FIRST): 1}


def test_quiet_shows_what_needs_attention_and_nothing_else(
    env: NightEnvironment, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    env.put("good.csv", sheet([FIRST]), age=20)
    assert command("--quiet") == ExitCode.DONE
    assert capsys.readouterr().err == ""
    env.put("part.csv", sheet([FIRST, 999_999]), age=20)
    env.put("left.csv.part", "", age=90_000)
    assert command("--quiet") == ExitCode.INCOMPLETE
    said = capsys.readouterr().err
    assert "finished, but 1 of 2 rows was not updated" in said
    assert "left behind: Its name ends in .part" in said
    assert "night ends: 1 file" in said
    assert "row not updated" not in said


def test_the_object_of_the_night_is_the_last_line_of_all_output(env: NightEnvironment) -> None:
    """Airflow keeps the last line of stdout and stderr together as the result of the task."""
    env.put("a.csv", sheet([FIRST]), age=60)
    ended = subprocess.run(
        env.command("--json"), env=env.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    assert json.loads(ended.stdout.splitlines()[-1])["night"] is True


def test_an_empty_night_prints_its_json_object(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--json") == ExitCode.DONE
    (line,) = capsys.readouterr().out.splitlines()
    night = json.loads(line)
    assert (night["night"], night["files"], night["rows"], night["left"], night["problems"]) == (True, 0, 0, [], [])


@pytest.mark.parametrize(
    "arguments",
    [("--until", "soon"), ("--log-file", "/no/such/folder/a.log"), ("--concurrency", "none"), ("--map", "x")],
)
def test_wrong_options_are_reported_like_any_failure_of_a_night(
    env: NightEnvironment,
    command: Callable[..., int],
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("BULKUPDATE_WEBHOOK_URL", listener.address)
    monkeypatch.setenv("BULKUPDATE_HEARTBEAT_URL", listener.address)
    metrics = env.root / "night.prom"
    assert command("--json", "--metrics-file", str(metrics), *arguments) == ExitCode.USAGE
    assert listener.posts[0]["exit_code"] == 2
    assert [path.rpartition("/")[2] for path in listener.paths] == ["start", "fail"]
    assert 'exit_code{folder="' in metrics.read_text()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["problems"][0]["code"] == "usage"


def test_a_bug_is_reported_with_a_crash_report(
    env: NightEnvironment,
    command: Callable[..., int],
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Ann Secret")

    monkeypatch.setenv("BULKUPDATE_WEBHOOK_URL", listener.address)
    monkeypatch.setattr("bulkupdate.nightly.night_runner.find_left_files", fail)
    env.put("a.csv", sheet([FIRST]))
    assert command("--json") == ExitCode.STOPPED
    said = capsys.readouterr()
    assert "The program itself failed (ZeroDivisionError)" in said.err
    assert "Ann Secret" not in said.err + said.out + str(listener.posts)
    assert len(list((env.state / "errors").iterdir())) == 1
    assert [post["exit_code"] for post in listener.posts] == [0, 4]
