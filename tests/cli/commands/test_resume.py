"""`resume`: what it asks on a terminal."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.conftest import find_puts, write_sheet


@pytest.mark.parametrize(("answer", "exit_code", "puts"), [("n", 3, 0), ("y", 0, 3)])
def test_it_asks_before_it_overwrites_what_a_newer_run_has_sent(
    run_program, sandbox, tmp_path, answer, exit_code, puts
):
    older = run_program("run", write_sheet(tmp_path / "older.csv", 5, word="old"), "--yes", "--limit", 2).told["run"]
    newer = run_program("run", write_sheet(tmp_path / "newer.csv", 5, word="corrected"), "--yes").told["run"]
    sandbox.reset_log()
    terminal = Terminal(run_program, "resume", older)
    terminal.read_until(lambda shown: "[y/N]" in shown)
    assert newer in terminal.shown
    assert "Overwrite their values?" in terminal.shown
    terminal.type(f"{answer}\n")
    assert terminal.finish() == exit_code
    assert len(find_puts(sandbox)) == puts
    terminal.close()
