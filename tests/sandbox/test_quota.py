"""How the service counts the allowance."""

from __future__ import annotations

from bulkupdate.sandbox.quota import SandboxQuota
from bulkupdate.sandbox.responses import format_reset_time


def test_a_rolling_window_frees_each_request_one_window_after_it_came() -> None:
    allowance = SandboxQuota(2, 10.0, is_rolling=True)
    assert [allowance.spend("u", now) for now in (100.0, 104.0, 105.0, 109.9)] == [None, None, 110.0, 110.0]
    assert [allowance.spend("u", now) for now in (110.0, 113.0, 114.0)] == [None, 114.0, None]


def test_a_fixed_window_frees_all_at_its_multiples() -> None:
    allowance = SandboxQuota(2, 10.0, is_rolling=False)
    assert [allowance.spend("u", now) for now in (108.0, 109.0, 109.5)] == [None, None, 110.0]
    assert [allowance.spend("u", now) for now in (110.0, 110.1, 110.2)] == [None, None, 120.0]


def test_users_do_not_share_and_zero_is_no_limit() -> None:
    allowance = SandboxQuota(1, 10.0, is_rolling=True)
    assert (allowance.spend("a", 1.0), allowance.spend("b", 1.0), allowance.spend("a", 2.0)) == (None, None, 11.0)
    unlimited = SandboxQuota(0, 10.0, is_rolling=True)
    assert [unlimited.spend("a", 1.0) for _ in range(3)] == [None, None, None]


def test_reset_time_has_seven_digits_and_is_never_early() -> None:
    assert format_reset_time(1_700_000_000.0) == "2023-11-14T22:13:20.0000000Z"
    assert format_reset_time(1_700_000_000.5) == "2023-11-14T22:13:20.5000000Z"
