"""What a recipe makes of the first rows of a sheet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkupdate.customers.recipe import Recipe
from bulkupdate.errors import InputFileError
from bulkupdate.runs.loading.recipe_preview import PreviewCell, list_doubtful, preview_rows, require_usable
from bulkupdate.runs.loading.sheet_layout import SheetLayout

RECIPE = Recipe(
    "shop",
    {"Kundennr": "CustomerId", "Vertreter": "AccountManager1Id", "Prov": "Commission", "Notiz": "ignore"},
    decimal_mark=",",
    values={"AccountManager1Id": {"Anna": "5012"}},
)
LAYOUT = SheetLayout(
    None, 1, ("Kundennr", "Vertreter", "Prov", "Notiz", ""),
    ((2, ("163", " anna", "2,5", "x", "y")), (3, ("", "Bert", "many", "", "")), (4, ("164", "", "<clear>", "", ""))),
)  # fmt: skip


def test_each_cell_is_shown_as_it_would_be_sent_or_why_it_would_not():
    rows = dict(preview_rows(RECIPE, LAYOUT))
    assert rows[2] == [
        PreviewCell("CustomerId", "163", "163"),
        PreviewCell("AccountManager1Id", " anna", "5012"),
        PreviewCell("AccountManager1Commission", "2,5", "2.5"),
    ]
    customer_id, manager, commission = rows[3]
    assert customer_id == PreviewCell("CustomerId", "", "", "the customer id is missing")
    assert (manager.after, commission.after) == ("", "")
    assert "whole number" in manager.problem
    assert commission.problem
    assert [cell.problem for cell in rows[4][:2]] == ["", ""]
    assert rows[4][2].problem, "a commission cannot be cleared"


def test_a_key_finds_rows_without_an_id_and_without_a_decimal_mark_it_is_a_point():
    keyed = replace(RECIPE, key="Vertreter", decimal_mark="")
    (first, second, _) = (cells for _, cells in preview_rows(keyed, LAYOUT))
    assert second[0].problem == ""
    assert first[2].problem


def test_values_that_stand_for_others_and_those_not_understood_are_listed_once():
    refused = [("Vertreter", "Carla"), ("Vertreter", "BERT "), ("Prov", "much"), ("Notiz", "z"), ("Vertreter", " ")]
    assert list_doubtful(RECIPE, LAYOUT, refused) == [
        ("AccountManager1Id", "Anna", "5012"), ("AccountManager1Id", "Bert", ""), ("AccountManager1Id", "Carla", ""),
    ]  # fmt: skip


def test_at_most_fifty_values_are_listed():
    assert len(list_doubtful(RECIPE, LAYOUT, [("Vertreter", f"name {number}") for number in range(60)])) == 50


HEADINGS = ("Kundennr", "Vertreter", "Prov", "Notiz")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"columns": {**RECIPE.columns, "Prov": "AccountManager1Id"}}, "AccountManager1Id"),
        ({"columns": {**RECIPE.columns, "Kundennr": "ignore"}}, "CustomerId"),
        ({"columns": {"Kundennr": "CustomerId"}}, "Vertreter"),
        ({"key": "Vertreter"}, None),
        ({"key": "Fax"}, "Fax"),
        ({"key": "Vertreter", "columns": {**RECIPE.columns, "Prov": "ignore"}}, "no column to update, only the key"),
        ({"key": "Kundennr", "columns": {**RECIPE.columns, "Kundennr": "ignore"}}, None),
        ({"key": "Notiz", "columns": {**RECIPE.columns, "Prov": "AccountManager1Id"}}, "Two columns mean AccountManag"),
    ],
)
def test_a_recipe_is_refused_by_which_the_sheet_could_not_be_read(changes, reason):
    recipe, layout = replace(RECIPE, **changes), replace(LAYOUT, headings=HEADINGS)
    if reason is None:
        require_usable(recipe, layout)
    else:
        with pytest.raises(InputFileError, match=reason):
            require_usable(recipe, layout)


def test_the_field_that_two_columns_mean_is_named():
    columns = {"Mail": "Email", "Fon": "Phone1", "Fax": "Fax", "Fax 2": "Fax"}
    with pytest.raises(InputFileError, match=r"^Two columns mean Fax\.$"):
        require_usable(Recipe("shop", columns, key="Mail"), SheetLayout(None, 1, tuple(columns), ()))
