"""Problems and results as rows of databases and files."""

from bulkupdate.customers.models import Problem, ResultLine, Severity, Status


def test_a_problem_is_read_from_the_columns_of_a_row():
    problem = Problem(2, "163", "Email", "x", "email", "no @", "add it", Severity.WARNING)
    assert Problem.from_columns([2, "163", "Email", "x", "email", "no @", "add it", "warning"]) == problem


def test_a_result_is_listed_for_a_program():
    line = ResultLine(2, "163", Status.UPDATED, 200, 1, ("Name",), "", "", ("163", "a"))
    assert line.list_values()[:8] == (2, "163", "updated", 200, 1, ["Name"], "", None)
