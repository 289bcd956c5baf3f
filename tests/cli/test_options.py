"""Numbers out of range are wrong use, said in a sentence; exit code 2."""

from __future__ import annotations

import pytest

from tests.conftest import write_sheet


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "in.csv", "--limit", "9" * 20),
        ("run", "in.csv", "--limit", "9" * 5000),
        *(("run", "in.csv", "--since-last", "--max-age", age) for age in ("nan", "inf", "-inf", "800000", "1e9")),
        *(("nightly", ".", "--settle", seconds) for seconds in ("nan", "inf", "1e30")),
        ("sandbox", "--port", "99999"),
        ("sandbox", "--latency-seconds", "inf"),
        ("sandbox", "--window-seconds", "nan"),
        ("sandbox", "--customers", "9" * 30),
        ("serve", "--port", "99999"),
        ("purge", "--older-than", "9" * 20),
        ("runs", "--timeout", "inf"),
        ("runs", "--concurrency", "9" * 20),
    ],
)
def test_a_number_out_of_range_is_wrong_use(run_program, tmp_path, arguments):
    write_sheet(tmp_path / "in.csv", 1)
    ended = run_program(*arguments, json=False)
    assert ended.exit_code == 2
    assert "rror: " in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.rglob("error-*"))
