"""Stopping well: by a person, by the system, by itself, by a bug."""

from __future__ import annotations

import base64
import signal
import stat
import threading
import time
from dataclasses import replace
from urllib.parse import quote

import pytest

from bulkupdate.clock import parse_utc
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.faults import SandboxRequest, ScheduledFaults
from bulkupdate.sandbox.responses import error_response
from bulkupdate.sellercloud.client import Client
from tests.conftest import FIRST, find_puts, finish, read_results, wait_until, write_csv, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.runs.sending.test_sender import SkippingClock


@pytest.fixture
def slow_sandbox(make_sandbox):
    return make_sandbox(latency_seconds=0.1)


def answer_at_once(sandbox):
    """What is slow so that it can be interrupted need not be so afterwards."""
    sandbox.service.options = replace(sandbox.service.options, latency_seconds=0)


@pytest.fixture
def program_at_work(slow_sandbox, run_program, tmp_path):
    """A run of 100 rows that has sent some ten, as a process of its own."""
    run_program.environment["BULKUPDATE_BASE_URL"] = slow_sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 100)
    process = run_program.fork("run", sheet, "--yes", "-o", tmp_path / "results.csv", concurrency=4)
    wait_until(lambda: len(find_puts(slow_sandbox)) > 10)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_asked_once_to_stop_what_is_in_flight_is_recorded_and_resume_goes_on(
    program_at_work, run_program, slow_sandbox, tmp_path, number
):
    """Ctrl-C and SIGTERM alike: exit 130, no row left unknown, the command to go on named."""
    program_at_work.send_signal(number)
    answer = finish(program_at_work)
    assert answer.exit_code == 130
    assert answer.told["exit_code"] == 130
    assert answer.told["next"] == f"bulkupdate resume {answer.told['run']}"
    assert answer.told["next"] in answer.err
    sent = find_puts(slow_sandbox)
    assert answer.counts == {"updated": len(sent), "not attempted": 100 - len(sent)}
    assert len(read_results(tmp_path / "results.csv")) == 100
    answer_at_once(slow_sandbox)
    after = run_program("resume")
    assert (after.exit_code, after.counts) == (0, {"updated": 100})
    assert len(find_puts(slow_sandbox)) == 100, "no row goes out twice"


@pytest.mark.long
def test_asked_twice_to_stop_it_ends_at_once_and_the_journal_is_sound(make_sandbox, run_program, tmp_path):
    latency_seconds = 60
    sandbox = make_sandbox(latency_seconds=latency_seconds)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 10)
    process = run_program.fork("run", sheet, "--yes", concurrency=4)
    wait_until(lambda: sandbox.requests)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert finish(process).exit_code == 130
    assert time.monotonic() - begun < latency_seconds / 2
    shown = run_program("show")
    assert (shown.told["state"], shown.counts) == ("stopped", {"not attempted": 10})


@pytest.mark.long
def test_interrupted_before_its_first_row_a_resume_keeps_unknown_rows_for_the_next(
    program_at_work, run_program, slow_sandbox
):
    """A run whose only rows left are unknown is not finished by a resume that could not send them."""
    program_at_work.send_signal(signal.SIGKILL)
    program_at_work.wait()
    unknown = run_program("show").counts["unknown"]
    assert 1 <= unknown <= 4
    refused = run_program("resume", password="wrong")
    assert (refused.exit_code, refused.told["state"]) == (4, "stopped")
    assert refused.counts["unknown"] == unknown
    answer_at_once(slow_sandbox)
    assert run_program("resume").counts == {"updated": 100}


@pytest.mark.parametrize("concurrency", [pytest.param(1, marks=pytest.mark.long), 8])
def test_a_service_down_after_row_40_stops_the_run_after_exactly_max_failures_rows(
    make_sandbox, run_program, tmp_path, concurrency
):
    """The row that stops it is the 20th that failed in a row; all others are not attempted."""
    down = make_sandbox(plan=lambda call: "error-503" if int(call.customer_id or 0) >= FIRST + 40 else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = down.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 80)
    answer = run_program("run", sheet, "--yes", concurrency=concurrency, max_attempts=2, retry_wait=0)
    assert answer.exit_code == 4
    assert answer.counts == {"updated": 40, "failed": 20, "not attempted": 20}
    assert "20 consecutive rows failed" in answer.err
    assert len(find_puts(down)) == 40 + 20 * 2
    down.service.plan = None
    assert run_program("resume").counts == {"updated": 80}
    assert len(find_puts(down)) == 80 + 40


def test_more_in_flight_than_max_failures_all_work_and_the_count_is_exact_all_the_same(
    make_sandbox, run_program, tmp_path
):
    """`max_failures` does not slow a service that is well: 32 in flight are 32, though the limit is 20."""
    down = make_sandbox(
        plan=lambda call: "error-503" if int(call.customer_id or 0) >= FIRST + 64 else None, latency_seconds=0.1
    )
    run_program.environment["BULKUPDATE_BASE_URL"] = down.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 150)
    answer = run_program("run", sheet, "--yes", concurrency=32, max_attempts=1)
    assert down.counts["most_in_flight"] == 32
    assert answer.exit_code == 4
    sent = len(find_puts(down))
    assert sent >= 84  # on a busy machine none of those in flight may be left
    assert answer.counts.get("unknown", 0) == sent - 84
    assert {**answer.counts, "unknown": 0} == {"updated": 64, "failed": 20, "unknown": 0, "not attempted": 150 - sent}


@pytest.mark.parametrize("concurrency", [8, pytest.param(19, marks=pytest.mark.long)])
def test_rows_taken_before_the_service_went_down_do_not_start_the_count_anew(
    make_sandbox, run_program, tmp_path, concurrency
):
    """A service that goes down refuses at once, while it still answers slowly what it took before."""
    down = make_sandbox(
        plan=lambda call: "slow" if call.kind != "write" or call.number <= 50 else "error-503", slow_seconds=0.05
    )
    run_program.environment["BULKUPDATE_BASE_URL"] = down.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 100)
    answer = run_program("run", sheet, "--yes", concurrency=concurrency, max_attempts=1)
    assert (answer.exit_code, answer.counts) == (4, {"updated": 50, "failed": 20, "not attempted": 30})


def test_a_limit_reached_with_the_last_row_stops_nothing(make_sandbox, run_program, tmp_path):
    """No row is left to wait until the service is back; those that failed are for `retry`."""
    down = make_sandbox(plan=lambda call: "error-503" if call.kind == "write" else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = down.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 3)
    answer = run_program("run", sheet, "--yes", concurrency=1, max_attempts=1, max_failures=3)
    assert (answer.exit_code, answer.counts) == (1, {"failed": 3})
    assert "consecutive rows failed" not in answer.err


def test_a_success_between_failures_starts_the_count_anew(make_sandbox, run_program, tmp_path):
    every_tenth = make_sandbox(plan=lambda call: None if int(call.customer_id or 0) % 10 == 0 else "error-500")
    run_program.environment["BULKUPDATE_BASE_URL"] = every_tenth.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 50)
    settings = {"concurrency": 1, "max_attempts": 1, "max_failures": 10}
    answer = run_program("run", sheet, "--yes", **settings)
    assert (answer.exit_code, answer.counts) == (1, {"updated": 5, "failed": 45})


def test_a_wrong_password_costs_one_sign_in_and_nothing_is_sent(sandbox, run_program, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 5)
    answer = run_program("run", sheet, "--yes", password="wrong")
    assert (answer.exit_code, answer.counts) == (4, {"not attempted": 5})
    assert [each.kind for each in sandbox.requests] == ["token"]
    assert "refuses the login sandbox" in answer.err


@pytest.mark.parametrize("concurrency", [8, pytest.param(32, marks=pytest.mark.long)])
def test_a_token_refused_with_many_in_flight_causes_one_sign_in_and_one_repetition_each(
    make_sandbox, run_program, tmp_path, concurrency
):
    """All in flight meet a 401 at once; nobody signs in but the first."""
    sandbox, rows = make_sandbox(latency_seconds=0.05), 6 * concurrency
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    ended = []

    def plan(call: SandboxRequest) -> None:
        if call.kind == "write" and call.number == 2 * concurrency and not ended:
            ended.append(True)
            sandbox.service._tokens.revoke_all()

    sandbox.service.plan = plan
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", rows), "--yes", concurrency=concurrency)
    assert (answer.exit_code, answer.counts) == (0, {"updated": rows})
    assert sandbox.counts["tokens"] == 2
    refused = [each for each in sandbox.requests if each.status == 401]
    assert 1 <= len(refused) <= 2 * concurrency
    assert len(find_puts(sandbox)) == rows + len(refused)


def test_a_new_token_refused_too_stops_the_run(make_sandbox, run_program, tmp_path):
    """No loop of sign-ins, which would lock the account."""
    sandbox = make_sandbox(plan=lambda call: "expired-token" if call.kind == "write" and call.number > 5 else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 40), "--yes", concurrency=8)
    assert (answer.exit_code, sum(answer.counts.values())) == (4, 40)
    assert answer.counts["updated"] == 5
    assert "at Customers/1" in answer.err
    assert sandbox.counts["tokens"] == 2
    assert len(find_puts(sandbox)) <= 5 + 2 * 8


def test_a_customer_whom_the_login_must_not_change_keeps_no_other_row_from_being_sent(
    make_sandbox, run_program, tmp_path
):
    sandbox = make_sandbox(
        plan=lambda call: error_response(401, "no rights") if call.customer_id == str(FIRST + 1) else None
    )
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    stopped = run_program("run", write_sheet(tmp_path / "customers.csv", 6), "--yes", concurrency=1)
    assert (stopped.exit_code, stopped.counts) == (4, {"updated": 1, "not attempted": 5})
    resumed = run_program("resume", "--yes", concurrency=1)
    assert (resumed.exit_code, resumed.counts) == (4, {"updated": 5, "not attempted": 1})
    assert f"at Customers/{FIRST + 1}" in resumed.err


@pytest.mark.long
def test_a_token_of_three_seconds_is_renewed_before_it_runs_out(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(token_seconds=3, latency_seconds=0.1)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 70), "--yes", concurrency=2)
    assert (answer.exit_code, answer.counts) == (0, {"updated": 70})
    assert 2 <= sandbox.counts["tokens"] <= 5
    assert 401 not in {each.status for each in sandbox.requests}


class BrokenClient(Client):
    """Has a bug that shows at one customer."""

    def update_customer(self, customer_id, body, *, may_be_applied=False):
        if customer_id == str(FIRST + 5):
            raise KeyError(f"password {PASSWORD} of customer's cell")
        return super().update_customer(customer_id, body, may_be_applied=may_be_applied)


PASSWORD = "p/w-to+hide&"

BROKEN = """
from bulkupdate.sellercloud import client
from tests.runs.sending.test_runner import BrokenClient
client.Client = BrokenClient
"""


def test_a_bug_in_a_worker_ends_the_run_loudly_with_a_sentence_and_a_file(make_sandbox, run_program, tmp_path):
    """No stack on stderr; the file is the owner's alone and holds no secret; `resume` continues."""
    sandbox = make_sandbox(password=PASSWORD)
    run_program.environment |= {"BULKUPDATE_BASE_URL": sandbox.base_url, "BULKUPDATE_PASSWORD": PASSWORD}
    sheet = write_sheet(tmp_path / "customers.csv", 40)
    program = run_program.fork("run", sheet, "--yes", patch=BROKEN, concurrency=4)
    answer = finish(program)
    assert answer.exit_code == 4, answer.err
    assert "Traceback" not in answer.err
    assert "The program itself failed (KeyError)" in answer.err
    assert (answer.told["exit_code"], answer.told["problems"][0]["code"]) == (4, "bug")
    (trace,) = (run_program.state / "errors").glob("*.txt")
    assert str(trace) in answer.err
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    text = trace.read_text()
    assert "KeyError" in text
    for form in (PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(PASSWORD.encode()).decode()):
        assert form not in text + answer.err + answer.out
    shown = run_program("show")
    assert shown.told["state"] == "stopped"
    assert shown.counts["unknown"] == 1, "the others in flight were recorded"
    assert shown.counts["updated"] == len(find_puts(sandbox))
    assert run_program("resume").counts == {"updated": 40}
    assert len(find_puts(sandbox)) == 40


@pytest.mark.long
def test_a_bug_at_the_last_row_leaves_the_run_to_be_resumed(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox()
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 6)
    finish(run_program.fork("run", sheet, "--yes", patch=BROKEN, concurrency=1))
    assert (run_program("show").told["state"], run_program("show").counts) == ("stopped", {"updated": 5, "unknown": 1})
    assert run_program("resume").counts == {"updated": 6}


def test_what_ends_the_run_ends_the_waits_of_the_other_rows(make_sandbox, tmp_path):
    """One row waits a minute for its next attempt when another is told to wait for three hours."""
    failing = threading.Event()

    def plan(call: SandboxRequest) -> str | None:
        if call.kind == "write" and call.customer_id == str(FIRST + 1):
            failing.set()
            return "error-500"
        if call.kind == "write" and call.customer_id == str(FIRST + 2):
            assert failing.wait(30)
            return "throttle-429"
        return None

    sandbox = make_sandbox(plan=plan, throttle_seconds=3 * 3600, latency_seconds=0.05)
    driver = Driver(sandbox.base_url, tmp_path, settings={"concurrency": 2, "retry_wait": 60.0})
    begun = time.monotonic()
    ending = driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", 5)))
    assert time.monotonic() - begun < 30
    assert ending.exit_code == ExitCode.STOPPED
    assert ending.tally.counts == {"updated": 1, "unknown": 1, "not attempted": 3}


def test_a_watcher_that_fails_ends_the_run_with_every_outcome_recorded(sandbox, tmp_path):
    """What is in flight when something unforeseen ends the run still comes in and is written down."""
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 50))

    def watch(outcomes, waiting):
        if len(find_puts(sandbox)) > 20:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        driver.execute_run(run, watch=watch)
    tally = driver.tally(run)
    assert tally.counts["updated"] == len(find_puts(sandbox))
    assert tally.rows == 50
    assert driver.execute_run(run).tally.counts == {"updated": 50}


def test_a_watcher_that_fails_ends_the_waits_of_the_rows_in_flight(make_sandbox, tmp_path):
    """One of them waits a minute for its next attempt."""
    failing = threading.Event()

    def plan(call: SandboxRequest) -> str | None:
        if call.kind == "write" and call.customer_id == str(FIRST + 1):
            failing.set()
            return "error-500"
        return None

    driver = Driver(make_sandbox(plan=plan).base_url, tmp_path, settings={"retry_wait": 60.0})

    def watch(outcomes, waiting):
        if failing.is_set():
            raise BrokenPipeError

    begun = time.monotonic()
    with pytest.raises(BrokenPipeError):
        driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", 3)), watch=watch)
    assert time.monotonic() - begun < 30


def test_the_requests_are_counted_while_rows_are_sent_and_the_next_process_continues_the_count(sandbox, tmp_path):
    """A process that is killed has no other chance to say how many it used."""
    driver = Driver(sandbox.base_url, tmp_path, settings={"concurrency": 1})
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 5))
    counted = []

    def watch(outcomes, waiting):
        with Journal(place_of(driver.state), driver.clock) as journal:
            counted.append((journal.find_run(run.id).calls, len(sandbox.requests)))

    driver.execute_run(run, watch=watch, limit=2)
    assert any(calls for calls, _ in counted)
    assert all(received - 1 <= calls <= received for calls, received in counted if calls)
    with Journal(place_of(driver.state), driver.clock) as journal:
        stopped = journal.find_run(run.id)
    counted.clear()
    driver.execute_run(stopped, watch=watch)
    assert counted[-1] == (5 + 2, 5 + 2)  # two sign-ins


def test_what_is_read_back_and_refused_is_recorded_by_the_clock_of_the_service(sandbox, tmp_path):
    """It is compared with the service's own times of changes; this machine's clock is two hours ahead."""
    clock = SkippingClock()
    clock.skipped = 7200
    driver = Driver(sandbox.base_url, tmp_path, clock=clock)
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], [FIRST, "x"], [FIRST + 1, "y"], [7, "no such id"]])
    counts = driver.execute_run(driver.begin(sheet, verify=True, snapshot=True)).tally.counts
    assert counts == {"updated": 2, "rejected": 1}
    with Journal(place_of(driver.state), clock) as journal:
        times = [parse_utc(at) for (at,) in journal.select("SELECT finished_at FROM rows")]
    assert all(abs(at - time.time()) < 3600 for at in times)


class SlowHands(SkippingClock):
    """Two seconds pass whenever the time is asked for."""

    def now(self):
        self.skipped += 2
        return super().now()


def test_the_end_that_is_reported_is_the_one_recorded(sandbox, tmp_path):
    """However long writing the results takes."""
    driver = Driver(sandbox.base_url, tmp_path, clock=SlowHands())
    ended = driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", 2))).run
    with Journal(place_of(driver.state), driver.clock) as journal:
        assert journal.find_run(ended.id).finished == ended.finished


def test_without_a_terminal_and_without_yes_nothing_is_sent(sandbox, run_program, tmp_path):
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 3))
    assert (answer.exit_code, len(sandbox.requests)) == (2, 0)
    assert "--yes" in answer.err


@pytest.mark.long
def test_ctrl_c_while_all_wait_for_a_throttled_service_is_heard_at_once(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(writes=["throttle-429"] * 9), throttle_seconds=600)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    process = run_program.fork("run", write_sheet(tmp_path / "customers.csv", 10), "--yes")
    wait_until(lambda: find_puts(sandbox))
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    answer = finish(process)
    assert time.monotonic() - begun < 600 / 2
    assert (answer.exit_code, answer.counts) == (130, {"not attempted": 10})
    assert "waiting for quota until" in answer.err
    assert len(find_puts(sandbox)) == 1, "one request told all of them"
