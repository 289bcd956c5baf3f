"""One estimate of requests and end, for the command line and the page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.estimate import describe_capacity, estimate_requests, estimate_run
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import create_run
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.runs.sending.selection import Selection
from bulkupdate.sellercloud.rate_limit import Capacity
from tests.conftest import FIRST, write_csv, write_sheet
from tests.runs.in_process import Driver


@pytest.fixture
def driver(sandbox, tmp_path):
    return Driver(sandbox.base_url, tmp_path, settings={"requests_per_hour": 100})


@pytest.fixture
def context(driver):
    with open_context(driver.make_settings(), driver.clock, driver.stop) as opened:
        yield opened


def test_requests_and_a_sign_in_are_counted_and_the_end_waits_for_the_quota(context: RunContext):
    estimate = estimate_requests(context, updates=10, reads=5)
    assert (estimate.requests, estimate.sign_ins, estimate.fits_now) == (16, 1, True)
    assert estimate.describe_quota() == "100 of 100 requests left"
    assert re.search(r"\d\d:\d\d", estimate.describe_end())
    assert replace(estimate, free=16).fits_now
    assert not replace(estimate, free=15).fits_now
    more = estimate_requests(context, updates=150)
    assert not more.fits_now
    assert 0 <= estimate.expected_end - estimate.now < 60
    assert more.expected_end - more.now >= 3600


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(),
        RunOptions(snapshot=True),
        RunOptions(snapshot=True, verify=True),
        RunOptions(limit=3, verify=True),
        RunOptions(canary=2),
        RunOptions(canary=2, limit=5, snapshot=True),
    ],
)
def test_a_run_takes_as_many_requests_as_estimated(driver: Driver, context: RunContext, tmp_path: Path, options):
    checked = load_input_file(write_sheet(tmp_path / "customers.csv", 7), context.settings, SheetOptions())
    estimate = estimate_run(context, checked.to_send, checked.rows(), options)
    selection = Selection(checked, context.settings.rating_format, "")
    run = create_run(context, "20260114-093849-k3v9x2mq", selection, options, tmp_path / "results.csv")
    result = execute_run(run, context, lambda _outcomes, _waiting: None, options.limit)
    assert result.run.calls == estimate.requests
    assert result.run.calls == context.client.calls


def test_what_was_read_before_the_run_is_not_read_again(context: RunContext, tmp_path: Path):
    checked = load_input_file(write_sheet(tmp_path / "customers.csv", 7), context.settings, SheetOptions())
    for options in (RunOptions(snapshot=True, only_changes=True), RunOptions(snapshot=True, undo="r")):
        assert estimate_run(context, checked.to_send, checked.rows(), options).reads == 0
        assert estimate_run(context, checked.to_send, checked.rows(), replace(options, verify=True)).reads > 0


def test_what_is_left_of_the_quota_is_said_in_words():
    assert describe_capacity(Capacity(None, 0.0), 0, 0.0) == "no limit"
    assert describe_capacity(Capacity(1200, 0.0), 10_800, 0.0) == "1,200 of 10,800 requests left"
    assert describe_capacity(Capacity(0, 60.0), 10_800, 0.0).startswith("0 of 10,800 requests left, next at ")


def test_a_sign_in_that_was_made_is_not_counted_again(context: RunContext):
    context.client.sign_in()
    assert estimate_requests(context, updates=10).requests == 10


def test_what_the_write_policy_has_to_read_is_counted_and_a_snapshot_reads_it_anyway(driver, context, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax", "Name"], [FIRST, "1", ""], [FIRST + 1, "", "n"]])
    checked = load_input_file(sheet, context.settings, SheetOptions())

    def count_reads(**options):
        return estimate_run(context, checked.to_send, checked.rows(), RunOptions(only_if_empty="Fax", **options)).reads

    assert (count_reads(), count_reads(snapshot=True), count_reads(only_changes=True)) == (1, 2, 0)
    assert (count_reads(limit=0), count_reads(verify=True), count_reads(canary=1)) == (0, 3, 2)
