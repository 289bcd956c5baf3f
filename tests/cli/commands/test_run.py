"""`run`: statuses, `--limit`."""

from __future__ import annotations

from collections import Counter

from bulkupdate.errors import ExitCode
from tests.conftest import FIRST, find_puts, read_results, write_sheet


def test_every_row_has_one_status_and_the_counts_add_up(mixed, tmp_path):
    _, answer = mixed
    each_once = dict.fromkeys(("updated", "failed", "unknown", "rejected", "unchanged", "invalid"), 1)
    assert (answer.exit_code, answer.counts, answer.told["rows"]) == (ExitCode.INCOMPLETE, each_once, 6)
    told = Counter(line["Status"] for line in read_results(tmp_path / "results.csv"))
    assert told == each_once
    assert (tmp_path / "results-to-fix.xlsx").exists()
    assert answer.told["next"] == f"bulkupdate retry {answer.told['run']}"


def test_limit_sends_so_many_and_resume_the_rest(run_program, sandbox, tmp_path):
    stopped = run_program("run", write_sheet(tmp_path / "customers.csv", 9), "--yes", "--limit", 4)
    assert (stopped.counts, stopped.told["state"]) == ({"updated": 4, "not attempted": 5}, "stopped")
    assert stopped.exit_code == ExitCode.INCOMPLETE
    assert run_program("resume").counts == {"updated": 9}
    assert find_puts(sandbox).count(str(FIRST)) == 1


def test_a_file_beyond_a_limit_is_refused_and_the_command_named_allows_it_once(run_program, sandbox, tmp_path):
    sheet = write_sheet(tmp_path / "customers.csv", 9)
    checked = run_program("check", sheet, max_changes="50%")
    refused = run_program("run", sheet, "--yes", max_changes="50%")
    assert checked.exit_code == refused.exit_code == ExitCode.FILE_REFUSED
    assert "would update 9 customers of its 9 rows; the limit is 50% (4)" in refused.err
    assert not find_puts(sandbox)
    assert checked.told["next"] in refused.err
    assert checked.told["next"].endswith(" --max-changes 9")
    allowed = run_program(*checked.told["next_args"][1:], "--yes", max_changes="50%")
    assert (allowed.exit_code, len(find_puts(sandbox))) == (ExitCode.DONE, 9)
