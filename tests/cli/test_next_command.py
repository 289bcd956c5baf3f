"""The next command can be pasted as it stands, and does what was meant: it repeats the options that the user gave."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest
from openpyxl import Workbook

from tests.conftest import FIRST, find_puts, write_csv, write_sheet

SHELLS = [shell for shell in ("bash", "zsh", "sh", "pwsh") if shutil.which(shell)]
NAMES = ("it's ok.csv", "a b & c.csv", "$(touch PWN).csv", "Müller “x”.csv", "-rf.csv", "100% `x`.csv", "plain.csv")


def paste(shell, told, folder):
    """What the program would get as its arguments if the command were pasted."""
    command = told["next"].replace("bulkupdate", "printf '%s\\0'", 1)
    pasted = subprocess.run([shell, "-c", command], cwd=folder, capture_output=True, check=True).stdout
    return ["bulkupdate", *pasted.decode().split("\0")[:-1]]


@pytest.mark.parametrize("name", NAMES)
def test_every_shell_gives_the_program_the_arguments_that_were_meant(run_program, tmp_path, name):
    write_csv(tmp_path / name, [["CustomerId", "Name"], [1, "x"]])
    checked = run_program("check", f"./{name}").told
    for shell in SHELLS:
        assert paste(shell, checked, tmp_path) == checked["next_args"]
    assert (tmp_path / checked["next_args"][-1]).samefile(tmp_path / name)
    assert not (tmp_path / "PWN").exists()


def test_the_options_for_reading_a_sheet_are_repeated(run_program, sandbox, tmp_path):
    (tmp_path / "de.csv").write_text(f"Kundennr;AccountManager1Commission\n{FIRST};1,5\n")
    options = ("--decimal", ",", "--map", "Kundennr=CustomerId", "--encoding", "utf-8", "--numbers", "stored")
    checked = run_program("check", "de.csv", *options)
    assert (checked.exit_code, checked.told["next_args"][:3]) == (0, ["bulkupdate", "run", "de.csv"])
    done = run_program(*checked.told["next_args"][1:], "--yes")
    assert (done.exit_code, done.counts) == (0, {"updated": 1})
    assert shlex.split(checked.told["next"]) == checked.told["next_args"]


def test_a_dry_run_repeats_what_was_asked_of_the_run(run_program, tmp_path):
    sheet = write_sheet(tmp_path / "in.csv", 2)
    dry = run_program("run", sheet, "--dry-run", "--verify", "--snapshot", "--limit", 1, "-o", "report.xlsx").told
    assert dry["next_args"][3:] == ["--limit", "1", "--snapshot", "--verify"]


def test_settings_of_the_command_line_are_repeated(run_program, sandbox, tmp_path):
    (tmp_path / "my settings.toml").write_text("concurrency = 1\n")
    sheet = write_sheet(tmp_path / "in.csv", 3)
    given = ("--config", "my settings.toml", "--state-dir", str(tmp_path / "other state"))
    stopped = run_program("run", sheet, "--yes", "--limit", 1, *given)
    assert stopped.told["next"] in stopped.err
    assert stopped.told["next_args"][3:] == [
        "--config",
        "my settings.toml",
        "--state-dir",
        str(tmp_path / "other state"),
    ]
    assert run_program(*stopped.told["next_args"][1:]).counts == {"updated": 3}
    assert len(find_puts(sandbox)) == 3


def test_the_corrected_rows_are_read_as_the_file_was(run_program, tmp_path):
    (tmp_path / "de.csv").write_text(f"Kundennr;Email\n{FIRST};anna\n{FIRST + 1};b@example.com\n")
    options = ("--map", "Kundennr=CustomerId", "--encoding", "utf-8")
    done = run_program("run", "de.csv", "--yes", "--skip-invalid", "-o", "out.xlsx", *options)
    assert done.told["next_args"] == [
        "bulkupdate", "run", str(tmp_path / "out-to-fix.xlsx"), "--map", "Kundennr=CustomerId",
    ]  # fmt: skip
    assert run_program("check", *done.told["next_args"][2:]).told["counts"] == {"invalid": 1}


def test_resume_and_show_read_the_corrected_rows_as_the_run_did(run_program, sandbox, tmp_path):
    (tmp_path / "de.csv").write_text(f"Kundennr;Email\n{FIRST};anna\n{FIRST + 1};b@example.com\n")
    (tmp_path / "my.toml").write_text("concurrency = 1\n")
    config = ("--config", "my.toml")
    stopped = run_program(
        "run", "de.csv", "--map", "Kundennr=CustomerId", "--skip-invalid", "--yes", *config, password="wrong"
    )
    assert stopped.told["next_args"][:2] == ["bulkupdate", "resume"]
    resumed = run_program(*stopped.told["next_args"][1:])
    to_fix = ["run", resumed.told["to_fix"], "--map", "Kundennr=CustomerId", *config]
    assert resumed.told["next_args"] == ["bulkupdate", *to_fix]
    assert run_program("show", *config).told["next_args"] == ["bulkupdate", *to_fix]


def test_match_and_check_repeat_how_the_customers_are_found(run_program, tmp_path):
    write_csv(tmp_path / "list.csv", [["CustomerId", "Email"], [FIRST, "a@example.com"]])
    book = Workbook()
    for name in ("April", "May"):
        sheet = book.create_sheet(name)
        for line in (["Mail", "Name"], ["a@example.com", "A"]):
            sheet.append(line)
    book.save(tmp_path / "in.xlsx")
    found = ["--key", "Email", "--lookup", "list.csv"]
    reading = ["--sheet", "May", "--map", "Mail=Email"]
    matched = run_program("match", "in.xlsx", *found, *reading)
    assert matched.told["next_args"][3:] == [*found, *reading]
    checked = run_program("check", *matched.told["next_args"][2:], "--check-ids")
    assert (checked.exit_code, checked.told["next_args"][3:]) == (0, [*found, *reading, "--check-ids"])


def test_a_check_that_found_problems_writes_the_same_report_again(run_program, tmp_path):
    write_csv(tmp_path / "in.csv", [["CustomerId", "Email"], [FIRST, "anna"]])
    assert run_program("check", "in.csv", "-o", "r.xlsx").told["next_args"][3:] == ["-o", "r.xlsx"]


def test_undo_and_export_repeat_place_and_settings(run_program, sandbox, tmp_path):
    config = ["--state-dir", str(tmp_path / "other")]
    done = run_program("run", write_sheet(tmp_path / "in.csv", 1), "--snapshot", "--yes", *config)
    undone = run_program("undo", done.told["run"], "-o", "undo.xlsx", *config)
    assert undone.told["next_args"][3:] == ["--run", "-o", "undo.xlsx", *config]
    exported = run_program("export", "--ids", "in.csv", "-o", "e.xlsx", *config)
    assert exported.told["next_args"] == ["bulkupdate", "run", "e.xlsx", "--only-changes", *config]


def test_the_next_command_of_a_nightly_file_repeats_the_settings(run_program, tmp_path):
    inbox = tmp_path / "night" / "inbox"
    inbox.mkdir(parents=True)
    write_csv(inbox / "a.csv", [["CustomerId", "Name"], [FIRST, "x"], [99, "y"]])
    write_csv(inbox / "b.csv", [["CustomerId", "Email"], [FIRST, "no e-mail"]])
    write_csv(inbox / "c.csv", [["CustomerId", "Name"], *([FIRST + at, "x"] for at in range(3))])
    (tmp_path / "own.toml").write_text('timeout = 20\nmax_changes = "2"\n', encoding="utf-8")
    night = run_program(
        "nightly", tmp_path / "night", "--settle", 0, "--config", tmp_path / "own.toml", "--verify", json=False
    )
    assert night.exit_code == 3
    summaries = [json.loads(path.read_text()) for path in sorted((tmp_path / "night" / "reports").glob("*.json"))]
    assert {each["next_args"][1] for each in summaries} == {"run", "check"}  # their order within a second is random
    for each in summaries:
        assert each["next_args"][-2:] == ["--config", str(tmp_path / "own.toml")]
    assert f"c.csv --verify --config {tmp_path / 'own.toml'} --max-changes 3" in json.dumps(summaries)


def test_nothing_left_to_do_is_no_command(run_program, tmp_path):
    told = run_program("run", write_sheet(tmp_path / "in.csv", 1), "--yes").told
    assert (told["next"], told["next_args"]) == (None, None)
