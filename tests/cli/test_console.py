"""What is shown, and what `--quiet` leaves."""

from __future__ import annotations

from tests.conftest import write_sheet


def test_quiet_says_nothing_but_errors(run_program, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 1)
    assert run_program("run", sheet, "--yes", "--quiet", json=False).err == ""
    assert "refuses the login" in run_program("run", sheet, "--yes", "--quiet", json=False, password="wrong").err
