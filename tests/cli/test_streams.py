"""Closed, missing and full streams change neither what is done nor the exit code, and show no traceback."""

import subprocess
import sys

import pytest

from bulkupdate.store.journal_file import JOURNAL_NAME
from tests.conftest import find_puts, write_sheet

ROWS = 3


def run_in_shell(run_program, line, *arguments):
    """The exit code of the program, and what the shell line wrote to `out` and `err`; `$@` is the call."""
    folder = run_program.folder
    call = [sys.executable, "-m", "bulkupdate", *map(str, arguments)]
    script = f'call() {{ "$@"; echo $? >{folder}/code; }}; {line}'
    subprocess.run(["sh", "-c", script, "sh", *call], cwd=folder, env=run_program.environment, timeout=60, check=False)
    written = {name: (folder / name).read_text() if (folder / name).exists() else "" for name in ("out", "err")}
    return int((folder / "code").read_text()), written["out"], written["err"]


@pytest.mark.parametrize(
    ("line", "options"),
    [
        pytest.param('call "$@" 2>&- >out', [], marks=pytest.mark.long),
        pytest.param('call "$@" >&- 2>err', ["--json"], marks=pytest.mark.long),
        pytest.param('call "$@" <&- >&- 2>&-', ["--quiet"], marks=pytest.mark.long),
        pytest.param('call "$@" 2>err | true', ["--json"], marks=pytest.mark.long),
        ('call "$@" >out 2>/dev/full', ["--json"]),
    ],
)
def test_the_run_ends_as_it_would(run_program, sandbox, tmp_path, line, options):
    sheet = write_sheet(tmp_path / "in.csv", ROWS)
    code, _, err = run_in_shell(run_program, line, "run", sheet, "--yes", *options)
    assert code == 0
    assert "Traceback" not in err
    assert "rror" not in err
    assert len(find_puts(sandbox)) == ROWS
    assert not list(tmp_path.rglob("error-*"))
    assert run_program("show").counts == {"updated": ROWS}
    assert (run_program.state / JOURNAL_NAME).read_bytes().startswith(b"SQLite format 3\0")


@pytest.mark.parametrize(("arguments", "expected"), [(["run", "none.csv", "--json"], 3), (["nonsense", "--json"], 2)])
@pytest.mark.parametrize(
    "line", ['call "$@" >/dev/full 2>err', pytest.param('call "$@" 2>&- >&-', marks=pytest.mark.long)]
)
def test_the_exit_code_of_other_calls_stays_too(run_program, line, arguments, expected):
    code, _, err = run_in_shell(run_program, line, *arguments)
    assert (code, "Traceback" in err) == (expected, False)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["check", "in.csv", "--json"], marks=pytest.mark.long), ["run", "in.csv", "--yes", "--json"],
        pytest.param(["runs"], marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_an_output_that_is_lost_on_a_full_disk_is_an_error(run_program, sandbox, tmp_path, arguments):
    write_sheet(tmp_path / "in.csv", ROWS)
    run_program("run", "in.csv", "--yes")
    code, _, err = run_in_shell(run_program, 'call "$@" 2>err >/dev/full', *arguments)
    assert (code, "no space left" in err, "Traceback" in err) == (4, True, False)
    assert len(find_puts(sandbox)) == ROWS * (2 if arguments[0] == "run" else 1)


def test_a_call_without_any_stream_as_under_pythonw(run_program):
    code = """
import sys
sys.stdin = sys.stdout = sys.stderr = sys.__stdin__ = sys.__stdout__ = sys.__stderr__ = None
sys.argv = ["bulkupdate", "runs"]
from bulkupdate.__main__ import main
main()
"""
    process = run_program.start_code(code)
    assert (process.communicate(timeout=60), process.returncode) == (("", ""), 0)


def test_no_file_of_ours_takes_the_place_of_a_closed_stream(run_program):
    code = """
import os, sys
from bulkupdate.cli.streams import protect_streams
for number in (0, 1, 2):
    os.close(number)
sys.stdin = sys.stdout = sys.stderr = None
protect_streams()
opened = os.open("opened", os.O_CREAT | os.O_RDWR)
print("lost"); print("lost", file=sys.stderr); os.write(2, b"lost")
os.write(opened, b"%d" % (opened > 2))
"""
    run_program.start_code(code).communicate(timeout=60)
    assert (run_program.folder / "opened").read_bytes() == b"1"


def test_a_full_pipe_that_does_not_block_loses_nothing(run_program):
    code = """
import os, sys
os.set_blocking(1, False)
from bulkupdate.cli.streams import protect_streams
protect_streams()
print("x" * 300_000)
"""
    process = run_program.start_code(code)
    out, err = process.communicate(timeout=60)
    assert (len(out), err, process.returncode) == (300_001, "", 0)


@pytest.mark.long
@pytest.mark.parametrize("line", ['call "$@" 2>&- >out', 'call "$@" >&- 2>err', 'call "$@" <&- >&- 2>&-'])
def test_a_night_too_ends_as_it_would(run_program, sandbox, tmp_path, line):
    inbox = tmp_path / "folder" / "inbox"
    inbox.mkdir(parents=True)
    write_sheet(inbox / "in.csv", ROWS)
    code, _, err = run_in_shell(run_program, line, "nightly", tmp_path / "folder", "--settle", "0", "--json")
    assert (code, "Traceback" in err, len(find_puts(sandbox))) == (0, False, ROWS)
