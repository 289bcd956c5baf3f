"""A frame becomes checked rows and problems, all of them in one pass, each with its place."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bulkupdate.customers.column_mapping import letter_column
from bulkupdate.customers.fields import FIELDS
from bulkupdate.customers.headings import recognize_headings
from bulkupdate.customers.models import RESULT_COLUMNS, TO_FIX_COLUMNS, Problem, Severity, Status
from bulkupdate.customers.schema import check_frame
from bulkupdate.customers.validated_file import CheckOptions
from bulkupdate.errors import InputFileError


def check(headings, rows, known=(), heading_map=None, **options):
    frame = pd.DataFrame(rows, columns=range(len(headings)), dtype="str")
    header = recognize_headings(headings, heading_map)
    return check_frame(frame, header, np.arange(2, 2 + len(rows)), CheckOptions(**options), known)


def problems_of(checked):
    return [(problem.row, problem.column, problem.code) for problem in checked.problems]


def test_every_field_reaches_the_body_under_its_name():
    checked = check([field.name for field in FIELDS], [[field.example for field in FIELDS]])
    (row,) = checked.rows()
    body = json.loads(row.body, parse_float=Decimal)
    assert list(body) == [field.name for field in FIELDS[1:]]
    assert body["AccountManager1Commission"] == Decimal("2.50")
    assert '"AccountManager1Commission": 2.50,' in row.body, "decimals are sent as typed"
    assert body["IsWholesale"] is True
    assert body["BusinessAliases"] == ["Mueller & Sons", "M&S"]
    assert body["Phone1"] == "0049 30 1234567"
    assert row.fields == tuple(body)


def test_blank_never_appears_and_zero_and_false_always_do():
    headings = ["CustomerId", "Name", "CompanyId", "IsWholesale", "AccountManager1Commission"]
    (row,) = check(headings, [["163", "", "0", "False", "0.00"]]).rows()
    assert row.body == '{"CompanyId": 0, "IsWholesale": false, "AccountManager1Commission": 0.00}'


def test_all_problems_of_all_rows_come_at_once_in_the_order_of_the_sheet():
    checked = check(["CustomerId", "Email", "Rating"], [["1", "no", "9"], ["x", "a@example.com", ""], ["", "b", "1"]])
    assert problems_of(checked) == [
        (2, "Email", "email"),
        (2, "Rating", "rating"),
        (3, "CustomerId", "customer-id"),
        (4, "CustomerId", "no-customer-id"),
        (4, "Email", "email"),
    ]
    assert [row.status for row in checked.rows()] == [Status.INVALID] * 3


def test_two_rows_for_one_customer_are_both_held_and_name_each_other():
    checked = check(["CustomerId", "Name"], [["163", "a"], ["164", "b"], ["163.0", "c"], ["00163", "d"]])
    messages = {problem.row: problem.message for problem in checked.errors}
    assert messages.keys() == {2, 4, 5}
    assert "row 4" in messages[2]
    assert "row 2" in messages[4]
    assert "row 2" in messages[5]
    assert [row.customer_id for row in checked.rows()] == ["163", "164", "163", "163"]


def test_ids_that_are_none_are_no_duplicates_of_each_other():
    assert problems_of(check(["CustomerId", "Name"], [["abc", "a"], ["abc", "b"]])) == [
        (2, "CustomerId", "customer-id"),
        (3, "CustomerId", "customer-id"),
    ]


@pytest.mark.parametrize(
    ("headings", "cells", "is_problem"),
    [
        (["CustomerId", "IsWholesale", "BusinessName"], ["1", "yes", ""], True),
        (["CustomerId", "IsWholesale", "BusinessName"], ["1", "yes", "Firm"], False),
        (["CustomerId", "IsWholesale", "BusinessName"], ["1", "yes", "<clear>"], True),
        (["CustomerId", "IsWholesale", "BusinessName"], ["1", "no", ""], False),
        (["CustomerId", "IsWholesale", "Name"], ["1", "yes", "x"], True),
        (["CustomerId", "BusinessName"], ["1", ""], False),
    ],
)
def test_wholesale_needs_a_business_name_only_where_the_setting_is_on(headings, cells, is_problem):
    strict = check(headings, [cells], wholesale_needs_business_name=True)
    assert bool(strict.errors) == is_problem
    assert not check(headings, [cells]).errors


def test_rating_goes_out_by_name_or_by_code():
    rows = [["1", "very dissatisfied"]]
    assert next(check(["CustomerId", "Rating"], rows).rows()).body == '{"Rating": "Very_Disatisfied"}'
    assert next(check(["CustomerId", "Rating"], rows, rating_format="code").rows()).body == '{"Rating": 1}'


def test_a_row_with_nothing_to_send_is_unchanged():
    checked = check(["CustomerId", "Name"], [["1", ""], ["2", "  "], ["3", "x"]])
    assert [row.status for row in checked.rows()] == [Status.UNCHANGED, Status.UNCHANGED, Status.NOT_ATTEMPTED]
    assert not any(row.may_be_applied for row in checked.rows())
    assert checked.counts == {Status.NOT_ATTEMPTED: 1, Status.UNCHANGED: 2, Status.INVALID: 0}


def test_a_cell_that_reading_refused_is_not_refused_twice():
    known = Problem(2, "1", "Name", "#N/A", "error-cell", "is an error", "Mend it.")
    checked = check(["CustomerId", "Name"], [["1", "#N/A"]], known=[known])
    assert checked.problems == (known,)
    assert next(checked.rows()).reason == "Name: is an error"


@pytest.mark.parametrize(("value", "reason"), [("extra", "too long (“extra”)"), ("", "too long")])
def test_a_row_that_was_refused_as_a_whole_shows_the_text_that_is_in_no_column(value, reason):
    known = Problem(2, "1", "", value, "too-many-cells", "too long", "Shorten it.")
    (row,) = check(["CustomerId", "Name"], [["x", "a"]], known=[known]).rows()
    assert row.reason.startswith(reason)
    assert "CustomerId: " in row.reason


def test_a_row_keeps_the_text_of_an_id_that_is_none():
    (row,) = check(["CustomerId", "Name"], [[" x ", "a"]]).rows()
    assert (row.customer_id, row.status) == ("x", Status.INVALID)


def test_texts_that_a_recipe_translates_are_sent_as_their_values():
    values = {"IsWholesale": {"Aktiv": "yes", "ruht": "no"}}
    checked = check(["CustomerId", "IsWholesale", "Name"], [["1", " aktiv", "x"], ["2", "fort", "x"]], values=values)
    sent, refused = checked.rows()
    assert (sent.body, sent.original) == ('{"IsWholesale": true, "Name": "x"}', ("1", " aktiv", "x"))
    assert refused.status is Status.INVALID
    assert checked.errors[0].remedy.endswith("Or add it to the values of IsWholesale in the recipe.")
    (untranslated,) = check(["CustomerId", "IsWholesale"], [["1", "fort"]]).errors
    assert "recipe" not in untranslated.remedy


def test_a_warning_does_not_hold_its_row():
    checked = check(["CustomerId", "Name"], [["1", "Anna "]])
    assert [problem.severity for problem in checked.problems] == [Severity.WARNING]
    assert next(checked.rows()).body == '{"Name": "Anna"}'


def test_counts_agree_with_the_rows_over_many_chunks():
    rows = [[str(number), "" if number % 3 else "x"] for number in range(1, 25_001)]
    checked = check(["CustomerId", "Name"], rows)
    statuses = [row.status for row in checked.rows()]
    assert {status: statuses.count(status) for status in checked.counts} == checked.counts
    assert [row.number for row in checked.rows()] == list(range(2, 25_002))


@pytest.mark.parametrize(
    ("headings", "words"),
    [
        (["Name", "Email"], ["no column CustomerId"]),
        (["CustomerId"], ["no column to update"]),
        (["CustomerId", "Phone 1", "Phone1"], ["B (“Phone 1”)", "C (“Phone1”)", "Phone1"]),
        (["CustomerId", "Nmae", "Birthday"], ["B “Nmae” (did you mean Name?)", "C “Birthday”"]),
        (["CustomerId", "Company"], ["B “Company” (did you mean CompanyId or BusinessName?)"]),
        (["CustomerId", *(f"Other {n}" for n in range(20))], ["B “Other 0”", "U “Other 19”", "These columns are"]),
        (["CustomerId", "Name", ""], ["This column is not known: C without a heading."]),
        (["CustomerId", *(f"Other {n}" for n in range(50))], ["AY “Other 49”."]),
        (["CustomerId", *(f"Other {n}" for n in range(51))], ["AY “Other 49”, and 1 more."]),
    ],
)
def test_columns_that_make_no_customer_sheet_are_refused(headings, words):
    with pytest.raises(InputFileError) as refusal:
        check(headings, [["1"] * len(headings)])
    assert all(word in str(refusal.value) for word in words)


@pytest.mark.parametrize(
    ("headings", "remedy"),
    [
        (
            ["Birthday", "Nmae", "Emial"],
            'Rename or delete them, map them with --map "Nmae=Name", or ignore them with --ig',
        ),
        (
            ["Company"],
            'Rename or delete it, map it with --map "Company=CompanyId", or ignore it with --ignore-unknown.',
        ),
        (["Account Manager 4"], '--map "Account Manager 4=AccountManager1Id"'),
        (["Birthday"], '--map "your heading=field"'),
    ],
)
def test_a_column_that_is_not_known_is_told_how_it_could_be_mapped(headings, remedy):
    with pytest.raises(InputFileError) as refusal:
        check(["CustomerId", "Fax", *headings], [["1"] * (len(headings) + 2)])
    assert remedy in refusal.value.remedy


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_named_as_excel_does(index, letters):
    assert letter_column(index) == letters


def test_a_column_that_is_never_written_is_left_out_but_not_all_columns():
    headings, cells = ["CustomerId", "Name", "Fax"], [["1", "x", "2"]]
    assert next(check(headings, cells, never=frozenset({"Fax"})).rows()).body == '{"Name": "x"}'
    with pytest.raises(InputFileError, match="write policy of each is `never`"):
        check(headings, cells, never=frozenset({"Fax", "Name"}))


def test_unknown_columns_can_be_passed_over_and_come_back_in_the_results():
    checked = check(["CustomerId", "Birthday", "Name"], [["1", "May", "x"]], ignore_unknown=True)
    (row,) = checked.rows()
    assert row.body == '{"Name": "x"}'
    assert row.original == ("1", "May", "x")
    assert checked.original_headings == ("CustomerId", "Birthday", "Name")


def test_our_own_results_and_to_fix_columns_are_passed_over():
    own = ["7", "1", "rejected", "400", "1", "Name", "no", "2026-01-01T00:00:00Z"]
    checked = check([*RESULT_COLUMNS, "Customer ID", "Name"], [[*own, "163", "Anna"]])
    (row,) = checked.rows()
    assert (row.customer_id, row.body, row.original) == ("163", '{"Name": "Anna"}', ("163", "Anna"))
    without_second_id = check([*RESULT_COLUMNS, "Name"], [[*own, "Anna"]])
    assert next(without_second_id.rows()).customer_id == "1"
    earlier_to_fix = check(["Customer ID", "Name", "Reason"], [["163", "Anna", "invalid: …"]])
    assert next(earlier_to_fix.rows()).original == ("163", "Anna")


@pytest.mark.parametrize("own", [TO_FIX_COLUMNS, TO_FIX_COLUMNS[1:], TO_FIX_COLUMNS[:2], TO_FIX_COLUMNS[::2]])
def test_the_columns_of_a_to_fix_sheet_are_passed_over_also_if_one_was_deleted(own):
    checked = check([*own, "Customer ID", "Name"], [[*("7" for _ in own), "163", "Anna"]])
    assert (next(checked.rows()).original, checked.original_headings) == (("163", "Anna"), ("Customer ID", "Name"))


@pytest.mark.parametrize("own", ["Row", "Reason"])
def test_a_column_of_the_users_own_is_not_taken_for_one_of_a_to_fix_sheet(own):
    with pytest.raises(InputFileError, match=f"“{own}”"):
        check([own, "Customer ID", "Name"], [["7", "163", "Anna"]])


def test_headings_of_ones_own_are_mapped():
    checked = check(["Kundennr", "Ort"], [["1", "x"]], heading_map={"kunden-nr": "CustomerId", "Ort": "Comments"})
    assert next(checked.rows()).body == '{"Comments": "x"}'


def test_a_column_that_is_mapped_to_ignore_is_neither_unknown_nor_sent():
    checked = check(["CustomerId", "Notiz", "Name"], [["1", "x", "y"]], heading_map={"notiz": "ignore"})
    assert next(checked.rows()).body == '{"Name": "y"}'
    with pytest.raises(InputFileError, match="Ort"):
        check(["CustomerId", "Ort", "Name"], [["1", "x", "y"]], heading_map={"notiz": "ignore"})


def test_previews_are_the_rows_that_will_be_sent():
    rows = [["1", "Ann"], ["2", ""], ["3", "#N/A"], ["x", "Bob"], ["5.0", " Eve "]]
    checked = check(["CustomerId", "Name"], rows)
    sent = [(row.number, row.customer_id, row.body) for row in checked.rows() if row.status is Status.NOT_ATTEMPTED]
    assert list(checked.previews()) == sent
    assert [customer_id for _, customer_id, _ in sent] == ["1", "5"]


def test_a_crash_in_a_check_is_no_problem_of_the_sheet(monkeypatch):
    """pandera counts an exception in a check as one more failure; it must not be taken for one."""
    from bulkupdate.customers import schema

    monkeypatch.setattr(schema, "normalize_ids", lambda texts: 1 / 0)
    with pytest.raises(Exception, match="division"):
        check(["CustomerId", "Name"], [["1", "a"]])
