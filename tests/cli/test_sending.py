"""The summary of a run."""

from __future__ import annotations

from tests.conftest import FIRST, write_csv


def test_an_ending_with_rows_left_is_never_called_done(mixed):
    _, answer = mixed
    assert "Done" not in answer.err
    assert "Not all rows went through" in answer.err


def test_the_reasons_of_rows_that_were_not_updated_are_grouped_with_their_rows(run_program, tmp_path):
    rows = [[FIRST, "a"], [999, "b"], [998, "c"], [FIRST + 1, "d"]]
    sheet = write_csv(tmp_path / "customers.csv", [["CustomerId", "Name"], *rows])
    done = run_program("run", sheet, "--yes", "-o", tmp_path / "r.xlsx")
    assert done.counts == {"updated": 2, "rejected": 2}
    (reason,) = done.told["reasons"]
    assert (reason["status"], reason["count"], reason["rows"]) == ("rejected", 2, [3, 4])
    told = f"2 rejected: {reason['message'].rstrip('.')} (rows 3 and 4)"
    assert told in done.err
    for text in (run_program("show", json=False).out, run_program("retry", done.told["run"], "--yes").err):
        assert told in text


def test_a_run_that_can_be_undone_is_not_said_to_be_final(run_program, tmp_path):
    sheet = write_csv(tmp_path / "customers.csv", [["CustomerId", "Name"], [FIRST, "a"]])
    assert "cannot be undone" in run_program("run", sheet, "--yes").err
    assert "cannot be undone" not in run_program("run", sheet, "--yes", "--snapshot").err


def test_results_that_cannot_be_written_are_said_and_end_with_4_though_every_row_was_updated(
    make_sandbox, run_program, tmp_path
):
    def block(call):
        if call.kind == "write":
            (tmp_path / "r.xlsx").mkdir(exist_ok=True)

    run_program.environment["BULKUPDATE_BASE_URL"] = make_sandbox(plan=block).base_url
    sheet = write_csv(tmp_path / "customers.csv", [["CustomerId", "Name"], [FIRST, "a"]])
    done = run_program("run", sheet, "--yes", "-o", tmp_path / "r.xlsx")
    assert (done.exit_code, done.counts) == (4, {"updated": 1})
    assert "Done: 1 row: 1 updated" in done.err
    assert "r.xlsx" in done.told["problems"][0]["message"]
    assert done.told["next"].startswith(f"bulkupdate show {done.told['run']} -o ")
    assert done.told["next"] in done.err
