"""Repeated problems, grouped and counted."""

import pytest

from bulkupdate.customers.models import Problem, Severity
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.customers.problem_summary import count_by_column, group_problems, name_rows


def problem(row, column, code=ProblemCode.EMAIL, message="no @", severity=Severity.ERROR):
    return Problem(row, "163", column, "x", code, message, "add it", severity)


def test_problems_of_one_kind_in_one_column_are_one_group_with_its_first_rows():
    groups = group_problems([problem(row, "Email") for row in range(2, 9)] + [problem(9, "Fax")])
    assert [(each.column, each.count, each.first_rows) for each in groups] == [
        ("Email", 7, (2, 3, 4, 5, 6)), ("Fax", 1, (9,)),
    ]  # fmt: skip
    assert (groups[0].title, groups[0].where) == ("7 rows: no @", "rows 2, 3, 4, 5, 6 and 2 more")
    assert (groups[1].title, groups[1].where, groups[1].remedy) == ("1 row: no @", "row 9", "add it")


def test_errors_come_first_then_the_most_frequent_then_the_first_row():
    warned = [problem(2, "A", severity=Severity.WARNING) for _ in range(3)]
    groups = group_problems([*warned, problem(8, "B"), problem(4, "C"), problem(7, "D"), problem(9, "D")])
    assert [each.column for each in groups] == ["D", "C", "B", "A"]


def test_of_different_messages_the_first_is_an_example():
    (group,) = group_problems([problem(2, "A", message="one"), problem(3, "A", message="two")])
    assert group.title == "2 rows: for example, one"


@pytest.mark.parametrize("code", [ProblemCode.OPEN_FILE, ProblemCode.GUESSED_ENCODING])
def test_a_problem_of_the_file_names_no_rows(code):
    (group,) = group_problems([problem(0, "", code, "guessed")])
    assert (group.title, group.where) == ("guessed", "the whole file")


@pytest.mark.parametrize(
    ("rows", "count", "words"),
    [((5,), 1, "row 5"), ((5, 9), 2, "rows 5 and 9"), ((5, 9), 1309, "rows 5, 9 and 1,307 more")],
)
def test_rows_are_named(rows, count, words):
    assert name_rows(rows, count) == words


def test_columns_are_counted_the_worst_first():
    warned = problem(2, "A", severity=Severity.WARNING)
    found = [problem(2, "C"), warned, problem(3, "B"), problem(3, "A"), *(problem(row, "D") for row in (2, 3, 4))]
    assert count_by_column(found) == [("D", 3, 0), ("A", 1, 1), ("B", 1, 0), ("C", 1, 0)]
