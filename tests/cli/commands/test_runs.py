"""`runs` and `show`."""

from __future__ import annotations

from bulkupdate.clock import format_local_date
from bulkupdate.errors import ExitCode
from tests.conftest import write_sheet


def test_runs_lists_newest_first_and_show_tells_one_though_the_file_is_gone(mixed, run_program, tmp_path):
    _, first = mixed
    (tmp_path / "customers.csv").unlink()
    second = run_program("run", write_sheet(tmp_path / "other.csv", 2), "--yes")
    listed = run_program("runs")
    assert [each["run"] for each in listed.told] == [second.told["run"], first.told["run"]]
    assert [each["counts"] for each in listed.told] == [{"updated": 2}, first.counts]
    newest, _ = run_program("runs", json=False).out.splitlines()
    assert f"{second.told['run']}  {format_local_date(second.told['started'])[:16]}  finished" in newest
    shown = run_program("show", first.told["run"], "-o", tmp_path / "shown.csv")
    assert (shown.exit_code, shown.counts) == (ExitCode.DONE, first.counts)
    assert (tmp_path / "shown.csv").read_bytes() == (tmp_path / "results.csv").read_bytes()
    assert run_program("show").told["run"] == second.told["run"]
