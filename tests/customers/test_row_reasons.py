"""Reasons of rows that were not updated, grouped."""

from __future__ import annotations

import pytest

from bulkupdate.customers.models import ResultLine, Status
from bulkupdate.customers.row_reasons import RowReasons, describe_row_reasons, group_row_reasons


def line(row: int, customer_id: str, message: str, status: Status = Status.REJECTED) -> ResultLine:
    return ResultLine(row, customer_id, status, 404, 1, "", message, "", ())


def test_rows_with_the_same_reason_are_one_sentence_whatever_their_customer() -> None:
    lines = [line(row, str(100 + row), f"404 Customer {100 + row} was not found") for row in (5, 9, 12)]
    assert describe_row_reasons(group_row_reasons(lines)) == [
        "3 rejected: 404 Customer … was not found (rows 5, 9 and 12)"
    ]


def test_an_id_that_is_part_of_another_number_is_left_as_it_is() -> None:
    (sentence,) = describe_row_reasons(group_row_reasons([line(2, "5", "503 (5 s)"), line(3, "7", "503 (7 s)")]))
    assert sentence == "2 rejected: 503 (… s) (rows 2 and 3)"


def test_an_id_of_several_words_is_left_out_too_and_a_row_without_one_keeps_its_message() -> None:
    lines = [
        line(2, "A-1", "A-1 is not an id."),
        line(3, "B-2", "B-2 is not an id."),
        line(4, "", "(no id)."),
        line(5, "", "(no id)."),
    ]
    assert describe_row_reasons(group_row_reasons(lines)) == [
        "2 rejected: … is not an id (rows 2 and 3)", "2 rejected: (no id) (rows 4 and 5)",
    ]  # fmt: skip


def test_a_single_row_keeps_its_message() -> None:
    (sentence,) = describe_row_reasons(group_row_reasons([line(5, "99999", "404 Customer 99999 was not found")]))
    assert sentence == "1 rejected: 404 Customer 99999 was not found (row 5)"


def test_the_most_frequent_reason_comes_first_and_statuses_are_apart() -> None:
    lines = [line(2, "1", "b"), line(3, "2", "a"), line(4, "3", "a"), line(5, "4", "a", Status.FAILED)]
    assert [(each.status, each.count) for each in group_row_reasons(lines)] == [
        (Status.REJECTED, 2), (Status.REJECTED, 1), (Status.FAILED, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("kinds", "last"), [(10, "1 rejected: r9"), (11, "1 more reason:"), (25, "15 more reasons:")])
def test_many_reasons_are_cut_and_counted(kinds: int, last: str) -> None:
    sentences = describe_row_reasons(group_row_reasons([line(each + 2, "", f"r{each}") for each in range(kinds)]))
    assert len(sentences) == min(kinds, 11)
    assert sentences[-1].startswith(last)


def test_the_first_row_of_a_reason_is_told_and_only_a_thousand_reasons_are_kept() -> None:
    reasons = RowReasons()
    assert [reasons.add(line(2, "", text)) for text in ("a", "a", "b")] == [True, False, True]
    assert sum(reasons.add(line(3, "", f"r{number}")) for number in range(1000)) == 998
    assert len(reasons.list()) == 1000


def test_of_many_rows_the_first_five_are_named() -> None:
    (sentence,) = describe_row_reasons(group_row_reasons([line(row, "", "a") for row in range(2, 9)]))
    assert sentence == "7 rejected: a (rows 2, 3, 4, 5, 6 and 2 more)"


def test_of_equally_frequent_reasons_the_first_row_decides_and_none_is_no_message() -> None:
    sentences = describe_row_reasons(group_row_reasons([line(2, "", "b."), line(3, "", "")]))
    assert sentences == ["1 rejected: b (row 2)", "1 rejected: no message (row 3)"]
