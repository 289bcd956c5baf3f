"""How far another clock is ahead, when asking it takes a while."""

from __future__ import annotations

from bulkupdate.store.database import ClockOffset


def test_slow_answers_leave_the_offset_between_the_bounds_of_quick_ones() -> None:
    offset = ClockOffset(0.009, 0.011)
    assert offset.refine(ClockOffset(-0.5, 0.4)) == offset
    assert offset.refine(ClockOffset(-0.5, 0.010)) == ClockOffset(0.009, 0.010)


def test_after_a_clock_was_set_only_the_new_offset_counts() -> None:
    assert ClockOffset(0.009, 0.011).refine(ClockOffset(-300.1, -299.8)) == ClockOffset(-300.1, -299.8)
