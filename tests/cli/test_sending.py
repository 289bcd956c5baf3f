"""The summary of a run."""

from __future__ import annotations


def test_an_ending_with_rows_left_is_never_called_done(mixed):
    _, answer = mixed
    assert "Done" not in answer.err
    assert "Not all rows went through" in answer.err
