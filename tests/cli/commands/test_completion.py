"""`completion`: the scripts do what the shells need."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed_and_installed(run_program, tmp_path, shell):
    run_program.environment["HOME"] = str(tmp_path)
    printed = run_program("completion", shell, json=False)
    assert (printed.exit_code, "_BULKUPDATE_COMPLETE" in printed.out) == (0, True)
    installed = run_program("completion", shell, "--install", json=False)
    assert installed.exit_code == 0
    path = installed.err.partition("Installed: ")[2].partition(". Open")[0]
    assert Path(path).read_text().strip() == printed.out.strip()
    if shutil.which(shell):
        assert subprocess.run([shell, "-n", path], check=False).returncode == 0


def test_commands_are_completed_without_loading_them(run_program):
    run_program.environment |= {"_BULKUPDATE_COMPLETE": "bash_complete", "COMP_WORDS": "bulkupdate ru"}
    run_program.environment["COMP_CWORD"] = "1"
    process = run_program.start(json=False)
    out, _ = process.communicate(timeout=30)
    assert out.split() == ["plain,run", "plain,runs"]
