"""Limits on what one file may change."""

import pytest

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.errors import ExitCode, InputFileError
from bulkupdate.runs.guards import count_changes, require_within_limits

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


def test_a_file_at_the_limit_passes_and_one_beyond_is_refused():
    changes = count_changes([row(number, CHANGED) for number in range(2, 12)])
    require_within_limits(changes, ChangeLimit("10"), NO_LIMIT)
    require_within_limits(changes, ChangeLimit("100%"), ChangeLimit("0"))
    with pytest.raises(InputFileError, match="would update 10 customers of its 10 rows; the limit is 9") as refused:
        require_within_limits(changes, ChangeLimit("9"), NO_LIMIT)
    assert refused.value.exit_code is ExitCode.FILE_REFUSED
    assert "--max-changes 10" in refused.value.remedy


def test_the_refusal_of_clearing_names_the_fields_and_their_counts():
    changes = count_changes([row(2, CLEARED), row(3, '{"Name": ""}'), row(4, CHANGED)])
    with pytest.raises(InputFileError, match=r"\(Name of 2, BusinessAliases of 1\).*50% \(1\)") as refused:
        require_within_limits(changes, NO_LIMIT, ChangeLimit("50%"))
    assert "--max-clears 2" in refused.value.remedy
