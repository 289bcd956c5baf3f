"""Which field a column of foreign headings probably means."""

import pytest

from bulkupdate.customers.column_guess import guess_columns, guess_decimal_mark
from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.headings import recognize_headings


def guess(**columns):
    """The guesses for these headings with their first values."""
    header = recognize_headings(list(columns), None)
    found = guess_columns(header, [[text] for text in columns.values()])
    return [field and field.name for field in found]


@pytest.mark.parametrize("heading", ["Kundennr", "ID", "Kundennrr", "Klantnummer"])
def test_a_heading_like_an_id_is_the_id(heading):
    assert guess(**{heading: "163", "Email": "a@example.com"}) == ["CustomerId", "Email"]


@pytest.mark.parametrize("heading", ["Kundengruppe", "Zzz", "Identifikation"])
def test_another_heading_is_none(heading):
    assert guess(**{heading: "163"}) == [None]


def test_a_similar_heading_is_guessed_unless_its_values_say_otherwise():
    assert guess(Faxx="0049 30") == ["Fax"]
    assert guess(Emaill="a@example.com") == ["Email"]
    assert guess(Emaill="no address") == [None]
    assert guess(Emaill=" ") == [None]


def test_what_a_user_has_said_of_a_heading_is_not_guessed_over():
    header = recognize_headings(["CustomerId", "Handy"], {"Handy": "Fax"})
    assert [field and field.name for field in guess_columns(header, [["163"], ["0171"]])] == ["CustomerId", "Fax"]


def test_no_field_is_guessed_twice():
    assert guess(Fax="1", Faxx="2") == ["Fax", None]


def test_a_name_beside_a_first_name_may_be_the_last_name():
    assert guess(Name="Meier") == guess(Name="") == ["Name"]
    assert guess(Name="Meier", Vorname="Anna") == [None, None]
    assert guess(**{"Full Namee": "Meier"}) == ["Name"]
    assert guess(**{"Full Namee": "Meier", "Vorname": "Anna"}) == [None, None]


@pytest.mark.parametrize(
    ("texts", "mark"), [(["2,50"], ","), (["2.50"], ""), (["2,50", "2.5"], ""), (["2"], ""), ([], "")]
)
def test_the_decimal_mark_is_guessed_from_decimals_alone(texts, mark):
    fields = [FIELD_BY_NAME["AccountManager1Commission"], FIELD_BY_NAME["Comments"], None]
    assert guess_decimal_mark(fields, [texts, ["a. b,"], ["1,5"]]) == mark
    assert guess_decimal_mark(fields[1:], [["1,5"], ["1,5"]]) == ""
