"""The real program as a scheduler runs it: killed, started twice, with half-copied files."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import BAD, FIRST, NightEnvironment, sheet
from tests.nightly.receivers import Listener, PostOffice
from tests.nightly.test_metrics import read as read_metrics
from tests.postgres import place_of

CONCURRENCY = 4


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until it holds; the process must not end before."""
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def heartbeats(listener: Listener) -> list[str]:
    return [path.removeprefix("/hooks/T0ken-of-the-hook") for path in listener.paths]


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_three_nights(tmp_path: Path, post_office: PostOffice, listener: Listener) -> None:
    """Night 1: good, bad and half-written files. Night 2 is killed in the middle. Night 3 finishes. Each row of each
    good file is updated once, each file is in its place, and mails, webhook, heartbeat, metrics and summary say so."""
    with Sandbox(SandboxOptions(customers=2_000, latency_seconds=0.01)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox)
        settings = {
            "BULKUPDATE_MAIL_HOST": "127.0.0.1", "BULKUPDATE_MAIL_PORT": str(post_office.open()),
            "BULKUPDATE_MAIL_SECURITY": "none", "BULKUPDATE_MAIL_FROM": "night@example.com",
            "BULKUPDATE_MAIL_TO": "ops@example.com", "BULKUPDATE_WEBHOOK_URL": listener.settings.webhook_url.reveal(),
            "BULKUPDATE_CONCURRENCY": str(CONCURRENCY), "BULKUPDATE_HEARTBEAT_URL": listener.address,
        }  # fmt: skip
        log = tmp_path / "night.log"
        metrics = tmp_path / "night.prom"
        options = ("--json", "--log-file", str(log), "--log-format", "json", "--metrics-file", str(metrics))

        # night 1
        one, two = range(FIRST, FIRST + 30), range(FIRST + 100, FIRST + 400)
        env.put("one.csv", sheet(one), age=60)
        env.put("bad.csv", BAD, age=50)
        env.put("other.csv.part", "CustomerId,Na", age=50)
        half = env.folder / "inbox" / "half.csv"
        done = threading.Event()

        def copy_slowly() -> None:
            with half.open("w") as stream:
                for line in sheet([FIRST + 900]).splitlines(keepends=True) * 1000:
                    stream.write(line[:5])
                    stream.flush()
                    if done.wait(0.05):
                        return

        copying = threading.Thread(target=copy_slowly)
        copying.start()
        try:
            first = env.call(*options, **settings)
        finally:
            done.set()
            copying.join()
        assert first.returncode == 3, first.stderr
        assert env.places() == {
            "inbox": ["half.csv", "other.csv.part"], "working": [], "done": ["one.csv"], "failed": ["bad.csv"],
        }  # fmt: skip
        *files, night = lines_of(first.stdout)
        assert [each["exit_code"] for each in files] == [0, 3]
        assert (night["night"], night["files"], night["rows"], night["exit_code"]) == (True, 2, 31, 3)
        assert [(each["file"], each["reason"]) for each in night["left"]] == [
            ("inbox/half.csv", "changing"), ("inbox/other.csv.part", "incomplete"),
        ]  # fmt: skip
        assert read_metrics(metrics)["exit_code"] == 3
        assert heartbeats(listener) == ["/start", "/fail"]
        sign_ins = [each.kind for each in sandbox.requests].count("token")
        assert sign_ins == 1

        # night 2, killed in the middle
        half.unlink()
        env.put("two.csv", sheet(two), age=60)
        env.put("three.csv", sheet([FIRST + 900]), age=50)
        second = env.start(*options, **settings)
        before = len(sandbox.requests)
        wait_for(lambda: len(sandbox.requests) > before + 100, second)
        second.send_signal(signal.SIGKILL)
        second.communicate()
        assert env.places() == {
            "inbox": ["other.csv.part", "three.csv"], "working": ["two.csv"], "done": ["one.csv"],
            "failed": ["bad.csv"],
        }  # fmt: skip
        with Journal(place_of(env.state), Clock()) as journal:
            confirmed = {line.customer_id for line in journal.lines(journal.find_run(), (Status.UPDATED,))}
        assert 0 < len(confirmed) < len(two)

        # night 3
        third = env.call(*options, **settings)
        assert third.returncode == 0, third.stderr
        assert env.places() == {
            "inbox": ["other.csv.part"], "working": [], "done": ["one.csv", "three.csv", "two.csv"],
            "failed": ["bad.csv"],
        }  # fmt: skip
        assert f"taking the folder over from process {second.pid}" in log.read_text()
        *files, night = lines_of(third.stdout)
        assert [Path(str(each["file"])).name[25:] for each in files] == ["two.csv", "three.csv"]
        assert (night["files"], night["outcomes"], night["rows"]) == (2, {"done": 2}, 301)
        samples = read_metrics(metrics)
        assert (samples["exit_code"], samples["files done"], samples["files_left_behind"]) == (0, 2, 1)
        assert heartbeats(listener) == ["/start", "/fail", "/start", "/start", ""]  # the killed night did not end
        assert [each.kind for each in sandbox.requests].count("token") == 3

        puts = env.puts()
        assert set(puts) == {str(each) for each in (*one, *two, FIRST + 900)}
        repeated = {customer for customer, count in puts.items() if count > 1}
        assert len(repeated) <= CONCURRENCY
        assert not repeated & confirmed
        for name, rows in (("one", len(one)), ("two", len(two)), ("three", 1)):
            summary = env.summary(name)
            assert summary["counts"] == {"updated": rows}
            results = load_workbook(summary["results"], read_only=True)["Results"]
            assert [row[2] for row in results.iter_rows(values_only=True)][1:] == ["updated"] * rows

        assert [mail["Subject"].split(": ")[1] for mail in post_office.mails] == [
            "one.csv", "bad.csv", "two.csv", "three.csv",
        ]  # fmt: skip
        assert [post["file"] for post in listener.posts] == ["one.csv", "bad.csv", "two.csv", "three.csv"]
        (attached,) = [each.get_filename() for each in post_office.mails[2].iter_attachments()]
        assert str(attached).endswith("-two-results.xlsx")

        events = lines_of(log.read_text())
        summaries = [event["night"] for event in events if "night" in event]
        assert len(summaries) == 2  # the killed night has none
        assert summaries[-1] == night
        assert {each["level"] for each in events} <= {"INFO", "WARNING"}
        told = first.stderr + third.stderr + log.read_text()
        assert "T0ken" not in told
        assert "Ann" not in told
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_what_is_reported_of_a_night_with_problems_of_one_that_fails_and_of_an_empty_one(
    env: NightEnvironment, listener: Listener, tmp_path: Path
) -> None:
    metrics = tmp_path / "night.prom"
    settings = {
        "BULKUPDATE_WEBHOOK_URL": listener.address, "BULKUPDATE_HEARTBEAT_URL": listener.address,
        "BULKUPDATE_NOTIFY": "summary",
    }  # fmt: skip

    def run_one(**more: str) -> tuple[Any, ...]:
        done = env.call("--json", "--metrics-file", str(metrics), **settings, **more)
        night = lines_of(done.stdout)[-1]
        assert night["exit_code"] == done.returncode == read_metrics(metrics)["exit_code"]
        return done.returncode, heartbeats(listener)[-1], done.stderr.rpartition("night ends: ")[2].strip()

    env.put("part.csv", sheet([FIRST, 999_999]), age=60)
    env.put("bad.csv", BAD, age=50)
    env.put("open.csv", sheet([FIRST + 1]), age=200_000)
    mark = env.put(".~lock.open.csv#", "", age=200_000)
    assert run_one() == (
        3, "/fail", "2 files (1 incomplete, 1 refused), 3 rows (1 updated, 1 invalid, 1 rejected), "
        "1 file left behind (1 for more than a day), exit code 3",
    )  # fmt: skip
    mark.unlink()
    assert run_one(BULKUPDATE_PASSWORD="wrong") == (
        4, "/fail", "1 file (1 stopped), 1 row (1 not attempted), exit code 4",
    )  # fmt: skip
    assert run_one() == (0, "", "1 file (1 done), 1 row (1 updated), exit code 0")
    assert run_one() == (0, "", "0 files, 0 rows, exit code 0")
    first, second, _, last = (post["text"] for post in listener.posts)
    assert "1 rejected: Customer 999999 was not found (row 3)" in first
    assert "put it back in inbox/ as bad.csv." in first
    assert "left behind: inbox/open.csv: It has been open in LibreOffice" in first
    assert "The service refuses the login sandbox" in second
    assert last == "bulkupdate nightly: 0 files, 0 rows, exit code 0"


def test_of_two_processes_at_once_one_works_and_the_other_names_it(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=500, latency_seconds=0.05)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox)
        env.put("a.csv", sheet(range(FIRST, FIRST + 150)), age=60)
        first = env.start(BULKUPDATE_CONCURRENCY="2")
        wait_for(lambda: bool(env.puts()), first)
        second = env.call("--json")
        assert second.returncode == 5
        assert f"process {first.pid} on {socket.gethostname()}, since 20" in second.stderr
        (night,) = lines_of(second.stdout)
        assert (night["night"], night["exit_code"], night["problems"][0]["code"]) == (True, 5, "busy")
        assert night["files"] == 0  # without the lock of the folder, the file would be found in working/
        assert "taking the folder over" not in second.stderr
        _, told = first.communicate(timeout=60)
        assert first.returncode == 0, told
        assert set(env.puts().values()) == {1}


def test_sigterm_ends_the_night_in_order(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(customers=500, latency_seconds=0.05)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox)
        env.put("a.csv", sheet(range(FIRST, FIRST + 150)), age=60)
        process = env.start("--json", BULKUPDATE_CONCURRENCY="2")
        wait_for(lambda: len(env.puts()) > 10, process)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=30)
        assert process.returncode == 130
        line, night = lines_of(told)
        assert night["exit_code"] == 130
        assert line["state"] == "stopped"
        assert env.places()["working"] == ["a.csv"]
        assert not (env.folder / ".nightly" / "owner.json").exists()
        counts = line["counts"]
        assert isinstance(counts, dict)
        assert counts["updated"] == len(env.puts())


def test_a_second_start_in_the_hour_that_repeats_finds_nothing_to_do(env: NightEnvironment) -> None:
    """Cron may start 02:30 twice: the second finds an empty inbox, and each row was sent once."""
    env.put("a.csv", sheet([FIRST]), age=60)
    for _ in range(2):
        assert env.call(TZ="Europe/Berlin").returncode == 0
    assert env.puts() == {str(FIRST): 1}
    (filed,) = (env.folder / "done").iterdir()
    hour = time.strftime("%Y%m%d-%H", time.gmtime())
    assert filed.name[:11] in (hour, time.strftime("%Y%m%d-%H", time.gmtime(time.time() - 3600)))


# -- killed anywhere ------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_after_a_kill_anywhere_the_next_night_repairs_everything(sandbox: Sandbox, tmp_path: Path) -> None:
    """The program kills itself at the n-th change it makes in the folder, for every n there is."""
    env = NightEnvironment(tmp_path / "unused", sandbox)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.nightly.killed_night", str(tmp_path), sandbox.base_url],
        env=env.environment(), capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    verdicts = lines_of(ended.stdout)
    assert len(verdicts) > 30
    assert {"[]", "['bad.csv']", "['good.csv']"} <= {str(each["working"]) for each in verdicts}
    filed = {"inbox": [], "working": [], "done": ["good.csv"], "failed": ["bad.csv", "odd.xlsx"]}
    for each in verdicts:
        assert each["once"], each
        assert each["after"] == filed, each
        assert each["runs"] == [{"updated": 3}], each
