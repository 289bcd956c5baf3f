"""What Windows lacks, taken away here: modules, functions and start methods. Windows itself is not tried."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from bulkupdate import files
from bulkupdate.clock import STEP_SECONDS, Clock
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.web.uploads.upload_scan import make_scan_call
from tests.conftest import find_puts, finish, wait_until, write_sheet
from tests.warm import PROJECT
from tests.web.served import PASSWORD, FreshServer, Visitor

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="simulates Windows elsewhere")

SITE = """
import ctypes, multiprocessing, os, select, signal, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "multiprocessing.forkserver"}:
            raise ModuleNotFoundError(name)

class Kernel:
    def __init__(self, *_arguments, **_options):
        self.CreateJobObjectW = self.GetCurrentProcess = self.SetInformationJobObject = lambda *_: 1
        self.AssignProcessToJobObject = lambda *_: 1

sys.meta_path.insert(0, Missing())
ctypes.WinDLL = Kernel
multiprocessing.get_all_start_methods = lambda: ["spawn"]
signal.SIGBREAK = signal.SIGUSR1
for module, names in {
    os: "fork forkpty fchown nice mkfifo O_NOFOLLOW O_NONBLOCK",
    select: "poll epoll",
    signal: "SIGHUP SIGALRM SIGKILL SIGURG alarm setitimer pthread_sigmask",
}.items():
    for name in names.split():
        delattr(module, name)
"""


@pytest.fixture
def lacking(tmp_path: Path) -> str:
    """The PYTHONPATH of a Python that lacks them, in its child processes too."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE)
    return f"{folder}:{PROJECT}"


def test_a_run_stops_at_a_break_and_resume_completes_it(run_program, make_sandbox, tmp_path, lacking):
    slow = make_sandbox(latency_seconds=0.05)
    run_program.environment |= {"PYTHONPATH": lacking, "BULKUPDATE_BASE_URL": slow.base_url}
    process = run_program.start("run", write_sheet(tmp_path / "customers.csv", 60), "--yes", concurrency=2)
    wait_until(lambda: find_puts(slow))
    process.send_signal(signal.SIGUSR1)
    stopped = finish(process)
    assert stopped.exit_code == ExitCode.INTERRUPTED, stopped.err
    assert stopped.counts["not attempted"] + stopped.counts["updated"] == 60
    resumed = finish(run_program.start("resume"))
    assert resumed.counts == {"updated": 60}, resumed.err


def test_the_page_checks_in_a_spawned_process(make_sandbox, tmp_path, lacking):
    server = FreshServer(make_sandbox(password=PASSWORD).base_url, tmp_path / "state")
    server._environment["PYTHONPATH"] = lacking
    with server:
        visitor = Visitor(server.url, "sandbox")
        assert "Update 3 customers" in visitor.upload("few.csv", write_sheet(tmp_path / "few.csv", 3).read_bytes()).text


@pytest.mark.parametrize("name", ["NUL.xlsx", "con.csv", "a:b.xlsx", "a?.csv", "COM1 .x.csv"])
def test_names_that_are_none_on_windows_are_refused(tmp_path, monkeypatch, name):
    files.check_writable(tmp_path / name)
    monkeypatch.setattr(files, "_IS_WINDOWS", True)
    with pytest.raises(UsageError, match="name of a file on Windows"):
        files.check_writable(tmp_path / name)
    files.check_writable(tmp_path / "console.xlsx")


@pytest.mark.parametrize("refusals", [2, 99])
def test_a_file_that_another_program_has_open_is_tried_again_then_named(tmp_path, monkeypatch, refusals):
    path, replace = tmp_path / "results.csv", Path.replace
    left = [PermissionError(13, "Access is denied")] * refusals

    def refuse(self, target):
        if left:
            raise left.pop()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(files, "_IS_WINDOWS", True)
    monkeypatch.setattr("time.sleep", lambda _: None)
    if refusals == 2:
        with files.replace_file(path) as stream:
            stream.write(b"new")
        assert path.read_bytes() == b"new"
        return
    with pytest.raises(UsageError, match="Access is denied") as caught, files.replace_file(path):
        pass
    assert "Close it where it is open" in caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_long_waits_leave_room_for_signals():
    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return super().wait(0)

    class FastClock(Clock):
        def monotonic(self) -> float:
            return sum(waits)

    waits: list[float] = []
    assert not FastClock().wait(3.25, Event())
    assert (max(waits), sum(waits)) == (STEP_SECONDS, 3.25)


def test_the_path_of_a_scanner_keeps_its_backslashes():
    call = make_scan_call(r'"C:\Program Files\scan.exe" /q', Path("my file.csv"), is_windows=True)
    assert call == r'"C:\Program Files\scan.exe" /q "my file.csv"'
