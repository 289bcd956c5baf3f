"""Nights in a real folder, against a real sandbox: order, stops, the window, the log, the command."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bulkupdate.cli.main import run_cli
from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import BusyError, ExitCode, JournalError, UsageError
from bulkupdate.nightly.folder_lock import hold_folder
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.runner import RunOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import BAD, FIRST, NightEnvironment, sheet


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


def test_a_folder_without_inbox_is_reported(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    env.folder.rename(env.root / "the right one")
    assert env.night() == ExitCode.DONE
    assert "had no inbox/" in caplog.text
    caplog.clear()
    assert env.night() == ExitCode.DONE
    assert "had no inbox/" not in caplog.text


# -- stopping and going on ------------------------------------------------------------------------------------------


def test_an_unfinished_file_comes_first_the_next_night(env: NightEnvironment) -> None:
    env.put("old.csv", sheet(range(FIRST, FIRST + 5)), age=60)
    env.sandbox.stop()
    assert env.night() is ExitCode.STOPPED
    assert env.places()["working"] == ["old.csv"]
    assert env.summary("old")["counts"] == {"not attempted": 5}
    assert len(list((env.folder / "reports").glob("*-old-results-to-fix.xlsx"))) == 1
    env.sandbox.start()
    env.put("older-but-new.csv", sheet([FIRST + 9]), age=600)
    assert env.night() is ExitCode.DONE
    assert [Path(str(each.run_report.file)).name[25:] for each in env.reports] == ["old.csv", "older-but-new.csv"]
    assert env.places()["working"] == []
    assert env.puts() == {str(FIRST + n): 1 for n in (0, 1, 2, 3, 4, 9)}
    reports = sorted(path.name[25:] for path in (env.folder / "reports").glob("*-old[-.]*"))
    assert reports == ["old-results.xlsx", "old.json"]  # none of the stopped night's rows is left to fix


def test_an_outage_stops_the_night_and_the_other_files_wait(env: NightEnvironment) -> None:
    env.given["max_attempts"] = 1
    env.put("a.csv", sheet([FIRST]), age=60)
    env.put("b.csv", sheet([FIRST + 1]), age=50)
    env.sandbox.stop()
    assert env.night() is ExitCode.STOPPED
    assert env.places() == {"inbox": ["b.csv"], "working": ["a.csv"], "done": [], "failed": []}


def test_a_wrong_password_is_tried_once_a_night(env: NightEnvironment) -> None:
    from bulkupdate.settings import Secret

    env.given["password"] = Secret("wrong")
    env.put("a.csv", sheet([FIRST]), age=60)
    env.put("b.csv", sheet([FIRST + 1]), age=50)
    assert env.night() is ExitCode.STOPPED
    assert [each.kind for each in env.sandbox.requests] == ["token"]


# -- the window -----------------------------------------------------------------------------------------------------


def test_after_the_window_no_row_is_sent_and_the_next_night_resumes(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=2_000, latency_seconds=0.05)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"concurrency": 2})
        env.put("a.csv", sheet(range(FIRST, FIRST + 80)), age=60)
        env.put("b.csv", sheet([FIRST + 900]), age=50)
        end = Clock().now() + 1.0
        assert env.night(end=end) is ExitCode.STOPPED
        assert max(each.at for each in sandbox.requests) < end + 0.3
        summary = env.summary("a")
        assert summary["state"] == "stopped"
        assert summary["counts"]["not attempted"] + summary["counts"]["updated"] == 80
        assert "The time for sending ended" in summary["reason"]
        assert env.places()["inbox"] == ["b.csv"]
        with Journal(env.state, Clock()) as journal:
            assert "The time for sending ended" in journal.find_run().stopped_by
        assert env.night() is ExitCode.DONE
        assert set(env.puts().values()) == {1}
        assert sum(env.puts().values()) == 81


def test_the_window_ends_a_wait_for_quota(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=50)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"requests_per_hour": 5})
        env.put("a.csv", sheet(range(FIRST, FIRST + 20)))
        end = Clock().now() + 1.0
        assert env.night(end=end) is ExitCode.STOPPED
        assert Clock().now() < end + 3
        assert env.summary("a")["counts"] == {"updated": 4, "not attempted": 16}


def test_files_left_after_the_window_are_not_a_success(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    stop = Cancellation()
    from bulkupdate.nightly.window import WindowClosedError

    stop.request_stop(WindowClosedError("over"))
    assert env.night(stop=stop) is ExitCode.STOPPED
    assert env.places()["inbox"] == ["a.csv"]


def test_the_window_ends_fetching_live_customers(tmp_path: Path) -> None:
    """With --only-changes the live customers are read before anything is sent: the next night begins anew."""
    with Sandbox(SandboxOptions(customers=50, latency_seconds=0.1)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"concurrency": 1})
        env.put("a.csv", "CustomerId,Title\n" + "".join(f"{FIRST + n},Ms\n" for n in range(30)))
        asked = RunOptions(only_changes=True)
        assert env.night(end=Clock().now() + 0.6, run_options=asked) is ExitCode.STOPPED
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


def test_a_locked_folder_is_left_alone(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    (env.folder / ".nightly").mkdir()
    with hold_folder(env.folder / ".nightly", Clock()), pytest.raises(BusyError):
        env.night()
    assert env.places()["inbox"] == ["a.csv"]


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


# -- what the log tells ---------------------------------------------------------------------------------------------


def test_the_log_has_run_and_row_but_no_customer_data(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    hostile = "Ann\x1b[31m Secret"
    env.put("secret.csv", f'CustomerId,Name\n{FIRST},{hostile}\n999999,"{hostile}\nline"\n', age=60)
    env.put("no-heading.csv", f"{FIRST},{hostile}\n", age=50)
    env.put("bad.csv", f"CustomerId,Email\n{FIRST},{hostile}\n", age=40)
    env.night()
    told: Sequence[str] = [json.dumps(vars(record), default=str) + record.getMessage() for record in caplog.records]
    ours = [line for line in told if '"name": "bulkupdate"' in line]
    assert ours
    assert not [line for line in ours if "Secret" in line or str(FIRST) in line or "999999" in line]
    (row,) = [record for record in caplog.records if record.getMessage() == "row not updated"]
    assert (row.row, row.status) == (3, Status.REJECTED)  # type: ignore[attr-defined]
    assert row.run == env.summary("secret")["run"]  # type: ignore[attr-defined]


def test_no_thread_is_left_behind(env: NightEnvironment) -> None:
    env.put("a.csv", sheet([FIRST]))
    before = {thread.name for thread in threading.enumerate()}
    env.night(end=Clock().now() + 3600)
    assert {thread.name for thread in threading.enumerate()} <= before


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


def test_json_prints_one_line_a_file(
    env: NightEnvironment, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    env.put("a.csv", sheet([FIRST]), age=2)
    env.put("bad.csv", BAD, age=1)
    assert command("--json", "--quiet") == ExitCode.FILE_REFUSED
    said = capsys.readouterr()
    assert said.err == ""
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["exit_code"] for line in lines] == [0, 3]
    assert set(lines[0]) == {
        "run", "file", "state", "started", "rows", "counts", "problems", "calls", "exit_code", "results", "next",
    }  # fmt: skip
    assert all(Path(line["file"]).is_file() and Path(line["results"]).is_file() for line in lines)


def test_the_option_to_skip_invalid_rows(env: NightEnvironment, command: Callable[..., int]) -> None:
    env.put("mixed.csv", f"CustomerId,IsWholesale\n{FIRST},yes\n{FIRST + 1},perhaps\n")
    assert command("--invalid", "skip") == ExitCode.INCOMPLETE
    assert env.puts() == {str(FIRST): 1}
