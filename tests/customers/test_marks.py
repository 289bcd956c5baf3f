"""Which cells of refused rows are marked, so that they are refused again until they are corrected."""

import numpy as np
import pandas as pd

from bulkupdate.customers.headings import recognize_headings
from bulkupdate.customers.models import Problem, Severity, Status
from bulkupdate.customers.schema import check_frame
from bulkupdate.customers.validated_file import CheckOptions

HEADINGS = ["CustomerId", "Name", "Fax"]


def refuse(row, column, code="formula-not-calculated", value=""):
    return Problem(row, "", column, value, code, "not calculated", "", Severity.ERROR)


def check(rows, *known):
    """The sheet, refused for what was known of its cells."""
    frame = pd.DataFrame(rows, columns=range(3), dtype="str")
    header = recognize_headings(HEADINGS)
    return check_frame(frame, header, np.arange(2, 2 + len(rows)), CheckOptions(), known)


def marked(checked):
    """Which cells of which rows have a mark, by heading."""
    return [
        [heading for heading, text in zip(HEADINGS, row.original, strict=True) if "[bulkupdate:" in text]
        for row in checked.rows()
    ]


def test_a_cell_whose_text_would_pass_is_marked_and_no_other():
    checked = check([["163", "Anna", "1"], ["164", "Bert", "2"]], refuse(2, "Name"))
    assert marked(checked) == [["Name"], []]
    assert [row.status for row in checked.rows()] == [Status.INVALID, Status.NOT_ATTEMPTED]
    assert next(iter(checked.rows())).original[1] == "Anna [bulkupdate:\u00a0not calculated]"


def test_a_cell_whose_text_is_refused_anyway_needs_no_mark():
    assert marked(check([["abc", "Anna", "1"]], refuse(2, "CustomerId"))) == [[]]


def test_of_a_row_refused_as_a_whole_every_filled_cell_is_marked_and_the_id_always():
    assert marked(check([["", "Anna", " "]], refuse(2, ""))) == [["CustomerId", "Name"]]


def test_twins_of_a_row_whose_id_is_marked_are_marked_too():
    rows = [["163", "a", ""], ["163.0", "b", ""], ["164", "c", ""]]
    checked = check(rows, refuse(2, "CustomerId", "lost-digits"))
    assert marked(checked) == [["CustomerId"], ["CustomerId"], []]


def test_problems_show_the_text_of_their_cell_and_whether_it_would_pass():
    checked = check([["163", "Anna", "1"], ["abc", "Bert", "2"]], refuse(2, "Name"), refuse(3, "CustomerId"))
    found = checked.find_cells(checked.problems, range(3))
    assert found == {(2, "Name"): ("Anna", True), (3, "CustomerId"): ("abc", False)}
    assert (checked.identifying, checked.known_columns) == (("CustomerId",), (0, 1, 2))
    assert (checked.original_headings, checked.key_heading, len(checked)) == (tuple(HEADINGS), "CustomerId", 2)
