"""Limits on what one file may change."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.errors import ExitCode
from bulkupdate.runs.guards import check_limits, count_changes, find_excess
from bulkupdate.settings import Settings
from bulkupdate.text import SuggestedCommand

CLEARED = '{"Name": "", "BusinessAliases": [], "Email": "a@b.c"}'
CHANGED = '{"Name": "Quote \\"\\" inside", "IsWholesale": false}'

NO_LIMIT = ChangeLimit("none")


def row(number, body, status=Status.NOT_ATTEMPTED):
    return CheckedRow(number, str(number), status, body, (), ())


def test_only_rows_that_would_be_sent_count():
    counted = count_changes(
        [row(2, CLEARED), row(3, CHANGED), row(4, None, Status.INVALID), row(5, CLEARED, Status.UNCHANGED)]
    )
    assert (counted.rows, counted.updates, counted.clearing) == (4, 2, 1)
    assert counted.cleared == {"Name": 1, "BusinessAliases": 1}


def test_a_file_at_the_limit_passes_and_one_beyond_is_refused_with_the_command_that_allows_it():
    changes = count_changes([row(number, CHANGED) for number in range(2, 12)])
    assert find_excess(changes, ChangeLimit("10"), NO_LIMIT) is None
    assert find_excess(changes, ChangeLimit("100%"), ChangeLimit("0")) is None
    excess = find_excess(changes, ChangeLimit("9"), NO_LIMIT)
    assert excess is not None
    assert "would update 10 customers of its 10 rows; the limit is 9." in excess.message
    refused = excess.to_error(SuggestedCommand("run", "--max-changes", "9", "a.csv"))
    assert refused.exit_code is ExitCode.FILE_REFUSED
    assert refused.remedy is not None
    assert refused.remedy.endswith("allow it once: bulkupdate run a.csv --max-changes 10")


def test_the_refusal_of_clearing_names_the_fields_and_their_counts():
    changes = count_changes([row(2, CLEARED), row(3, '{"Name": ""}'), row(4, CHANGED)])
    excess = find_excess(changes, NO_LIMIT, ChangeLimit("50%"))
    assert excess is not None
    assert "clear fields of 2 customers (Name of 2, BusinessAliases of 1)" in excess.message
    assert "50% (1)" in excess.message
    assert excess.options == ("--max-clears", "2")


LIMITS = st.sampled_from(["", "none"]) | st.integers(0, 12).map(str) | st.integers(0, 100).map("{}%".format)
ROWS = st.lists(st.tuples(st.sampled_from([CLEARED, CHANGED, '{"Fax": ""}']), st.sampled_from(list(Status))))


@given(ROWS, LIMITS, LIMITS)
def test_no_file_beyond_a_limit_passes(rows, most_changes, most_clears):
    """Counted here in the simplest way: decode every body, and look at every value."""
    excess = check_limits(
        (row(number, *each) for number, each in enumerate(rows, 2)),
        Settings(max_changes=ChangeLimit(most_changes), max_clears=ChangeLimit(most_clears)),
    )
    sent = [json.loads(body) for body, status in rows if status is Status.NOT_ATTEMPTED]
    clearing = [body for body in sent if any(value in ("", []) for value in body.values())]
    is_beyond = [
        limit not in ("", "none") and count > (int(limit[:-1]) * len(rows) / 100 if limit.endswith("%") else int(limit))
        for count, limit in ((len(sent), most_changes), (len(clearing), most_clears))
    ]
    assert (excess is not None) == any(is_beyond)
    given_options = excess.options if excess else ()
    assert [name in given_options for name in ("--max-changes", "--max-clears")] == is_beyond
