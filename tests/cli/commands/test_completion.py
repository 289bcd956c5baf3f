"""`completion`: the scripts do what the shells need."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
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
    if shell == "zsh":
        run_program("completion", shell, "--install", json=False)
        assert (tmp_path / ".zshrc").read_text().count("compinit && compinit") == 1
    if shutil.which(shell):
        assert subprocess.run([shell, "-n", path], check=False).returncode == 0


def test_commands_are_completed_without_loading_them(run_program):
    run_program.environment |= {"_BULKUPDATE_COMPLETE": "bash_complete", "COMP_WORDS": "bulkupdate ru"}
    run_program.environment["COMP_CWORD"] = "1"
    process = run_program.start(json=False)
    out, _ = process.communicate(timeout=30)
    assert out.split() == ["plain,run", "plain,runs"]


@pytest.mark.long
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_tab_key_completes_in_the_shell_itself(run_program, tmp_path, shell):
    pty = pytest.importorskip("pty")
    loader = Path("/usr/share/bash-completion/bash_completion")
    if not shutil.which(shell) or (shell == "bash" and not loader.exists()):
        pytest.skip(f"{shell} with completion is not installed")
    run_program.environment |= {"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}", "TERM": "xterm"}
    run_program("completion", shell, "--install", json=False)
    (tmp_path / ".bashrc").write_text(f". {loader}\n")
    program = tmp_path / "bulkupdate"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bulkupdate "$@"\n')
    program.chmod(0o755)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvpe(shell, [shell, "-i"], run_program.environment)
    try:
        read_for(terminal, 3)
        os.write(terminal, b"bulkupdate run --skip-i\t")
        assert "--skip-invalid" in read_for(terminal, 20, "--skip-invalid")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def read_for(terminal: int, seconds: float, wanted: str = "\0") -> str:
    """What a shell shows in this time, or until it shows `wanted`."""
    shown, end = "", time.monotonic() + seconds
    while wanted not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 65_536).decode(errors="replace")
    return shown
