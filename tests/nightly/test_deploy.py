"""The samples for schedulers follow the rules of their scheduler, and the program accepts their commands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest

from bulkupdate.cli.commands.nightly import command as nightly_command
from bulkupdate.settings import SETTINGS, environment_name
from tests.nightly.sample_notifications import night_report

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICE = DEPLOY / "systemd" / "bulkupdate-nightly.service"
CRON = DEPLOY / "cron" / "bulkupdate-nightly"
TASK = DEPLOY / "windows" / "bulkupdate-nightly.xml"
XMLNS = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def check_call(words: list[str]) -> dict[str, Any]:
    """The options of the call; fails where the program would not understand it."""
    at = words.index("nightly")
    assert re.fullmatch(r".*\bbulkupdate(\.exe)?", words[at - 1])
    context = nightly_command.make_context("nightly", list(words[at + 1 :]))
    assert isinstance(context, click.Context)
    assert context.params["until"] == "06:00"
    return context.params


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the units were not verified")
    for unit in SERVICE.parent.iterdir():
        program = shutil.which("true")
        text = unit.read_text().replace("/opt/bulkupdate/.venv/bin/bulkupdate", str(program))
        (tmp_path / unit.name).write_text(text)  # systemd-analyze wants the program to exist
    verified = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True
    )
    own = [line for line in verified.stderr.splitlines() if "bulkupdate" in line]
    assert not own
    assert verified.returncode == 0 or not own


def test_the_command_of_the_systemd_service_is_valid() -> None:
    (call,) = re.findall(r"^ExecStart=(.*)$", SERVICE.read_text(), re.MULTILINE)
    assert str(check_call(shlex.split(call))["folder"]) == "/srv/bulkupdate"


def test_a_failed_night_starts_a_unit_that_exists() -> None:
    (unit,) = re.findall(r"^OnFailure=(.*)$", SERVICE.read_text(), re.MULTILINE)
    assert (SERVICE.parent / unit).is_file()


def test_no_sample_creates_the_folder() -> None:
    """A scheduler that creates the folder would hide that its name is mistyped."""
    samples = [path for path in DEPLOY.rglob("*") if path.is_file() and path.name != "README.md"]
    assert len(samples) > 6
    assert not [path.name for path in samples if "--create" in path.read_text()]


def test_the_keys_of_the_night_are_documented() -> None:
    keys = night_report().to_json()
    documented = re.findall(r"`([a-z_]+)`", (DEPLOY / "README.md").read_text().partition("| key | meaning |")[2])
    assert set(keys) - {"night"} <= set(documented)


def test_the_crontab_has_the_format_of_cron_d() -> None:
    """As crontab(5) has it for /etc/cron.d: five times, a user, a command without `%`; the last line ends.

    Debian's `crontab -n` took it too; not called here, as elsewhere the same option installs the file.
    """
    text = CRON.read_text()
    assert text.endswith("\n")
    entries = [line for line in text.splitlines() if line and not line.startswith("#")]
    settings = [line for line in entries if re.fullmatch(r"[A-Z]+=\S+", line)]
    (job,) = [line for line in entries if line not in settings]
    minute, hour, day, month, weekday, user, command = job.split(None, 6)
    assert minute.isdigit()
    assert 0 <= int(minute) < 60
    assert 0 <= int(hour) < 24
    assert int(hour) not in (1, 2, 3)  # clocks change then
    assert (day, month, weekday, user) == ("*", "*", "*", "bulkupdate")
    assert "%" not in command
    assert check_call(shlex.split(command))["quiet"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_the_command_of_cron_is_valid_shell() -> None:
    subprocess.run(["sh", "-n", "-c", CRON.read_text().splitlines()[-1].split(None, 6)[6]], check=True)


def test_the_windows_task_follows_its_schema() -> None:
    """As learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema: names, order of a trigger, durations."""
    task = ET.parse(TASK).getroot()
    assert task.tag == f"{XMLNS}Task"
    assert [each.tag.removeprefix(XMLNS) for each in task] == [
        "RegistrationInfo", "Triggers", "Principals", "Settings", "Actions",
    ]  # fmt: skip
    trigger = task.find(f"{XMLNS}Triggers/{XMLNS}CalendarTrigger")
    assert trigger is not None
    assert [each.tag.removeprefix(XMLNS) for each in trigger] == ["StartBoundary", "Enabled", "ScheduleByDay"]
    assert task.findtext(f"{XMLNS}Settings/{XMLNS}MultipleInstancesPolicy") == "IgnoreNew"
    assert re.fullmatch(r"PT[0-9]+H", task.findtext(f"{XMLNS}Settings/{XMLNS}ExecutionTimeLimit") or "")
    principal = task.find(f"{XMLNS}Principals/{XMLNS}Principal")
    actions = task.find(f"{XMLNS}Actions")
    assert principal is not None
    assert actions is not None
    assert actions.get("Context") == principal.get("id")
    program = actions.findtext(f"{XMLNS}Exec/{XMLNS}Command") or ""
    arguments = actions.findtext(f"{XMLNS}Exec/{XMLNS}Arguments") or ""
    assert check_call([program.rpartition("\\")[2], *arguments.split()])["config"]


def test_the_sample_settings_exist() -> None:
    names = re.findall(r"^#?(BULKUPDATE_[A-Z_]+)=\S+$", (DEPLOY / "nightly.env.example").read_text(), re.MULTILINE)
    assert len(names) > 8
    assert set(names) <= {environment_name(each.name) for each in SETTINGS}
