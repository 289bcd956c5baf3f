"""Which cells of refused rows are marked, so that they are refused again until they are corrected."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bulkupdate.customers.headings import recognize_headings
from bulkupdate.customers.models import Problem, Severity, Status
from bulkupdate.customers.schema import check_frame
from bulkupdate.customers.validated_file import CheckOptions

HEADINGS = ["CustomerId", "Name", "Fax"]


def refuse(row, column, code="formula-not-calculated", value=""):
    return Problem(row, "", column, value, code, "not calculated", "", Severity.ERROR)


def check(rows, *known, headings=HEADINGS, **options):
    """The sheet, refused for what was known of its cells."""
    frame = pd.DataFrame(rows, columns=range(3), dtype="str")
    header = recognize_headings(headings)
    return check_frame(frame, header, np.arange(2, 2 + len(rows)), CheckOptions(**options), known)


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


@pytest.mark.parametrize(("text", "value"), [("true", "perhaps"), ("so", "true")])
def test_a_cell_is_marked_if_its_text_or_the_value_it_stands_for_would_pass(text, value):
    """Another recipe may give the text a different meaning."""
    headings = ["CustomerId", "IsWholesale", "Fax"]
    known = refuse(2, "IsWholesale")
    checked = check([["163", text, ""]], known, headings=headings, values={"IsWholesale": {text: value}})
    assert [row.original[1] for row in checked.rows()] == [f"{text} [bulkupdate:\u00a0not calculated]"]


def test_of_a_row_refused_as_a_whole_every_filled_cell_is_marked_and_the_id_always():
    assert marked(check([["", "Anna", " "]], refuse(2, ""))) == [["CustomerId", "Name"]]


def test_twins_of_a_row_whose_id_is_marked_are_marked_too():
    rows = [["163", "a", ""], ["163.0", "b", ""], ["164", "c", ""]]
    checked = check(rows, refuse(2, "CustomerId", "lost-digits"))
    assert marked(checked) == [["CustomerId"], ["CustomerId"], []]


def test_a_cell_with_no_more_than_a_warning_is_not_marked_nor_one_of_a_duplicate():
    assert marked(check([["abc", "Anna ", "1"], ["163", "a", ""], ["163", "b", ""]])) == [[], [], []]


def test_a_key_whose_customer_was_not_found_is_marked_unless_it_has_its_mark():
    """By its text alone, a key could be that of another customer the next time."""
    frame = pd.DataFrame([["163", "K-1", "1"], ["", "K-2", "2"], ["", "K-3", "3"]], columns=range(3), dtype="str")
    header = replace(recognize_headings(["CustomerId", "Shop", "Fax"]), matched_by=1)
    known = [refuse(3, "Shop", "too-short"), refuse(4, "Shop", "not-corrected")]
    checked = check_frame(frame, header, np.arange(2, 5), CheckOptions(), known)
    assert [row.original[1] for row in checked.rows()] == ["K-1", "K-2 [bulkupdate:\u00a0not calculated]", "K-3"]
    assert (checked.identifying, checked.known_columns) == (("CustomerId", "Shop"), (0, 1, 2))


def test_problems_show_the_text_of_their_cell_and_whether_it_would_pass():
    checked = check([["163", "Anna", "1"], ["abc", "Bert", "2"]], refuse(2, "Name"), refuse(3, "CustomerId"))
    found = checked.find_cells(checked.problems, range(3))
    assert found == {(2, "Name"): ("Anna", True), (3, "CustomerId"): ("abc", False)}
    assert (checked.identifying, checked.known_columns) == (("CustomerId",), (0, 1, 2))
    assert (checked.original_headings, checked.key_heading, len(checked)) == (tuple(HEADINGS), "CustomerId", 2)
