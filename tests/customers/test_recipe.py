"""Recipes: what is written is read again, and what cannot be used is refused in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.recipe import Recipe, format_recipe, make_recipe_name, parse_recipe, require_recipe_name
from bulkupdate.customers.write_policy import WritePolicy
from bulkupdate.errors import UsageError

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).filter(str.strip)
WORDS = TEXTS.map(str.casefold).map(str.strip).filter(bool)
FIELDS = st.sampled_from([field.name for field in UPDATABLE])
RECIPES = st.builds(
    Recipe,
    st.just("any"),
    st.dictionaries(TEXTS.map(str.strip), FIELDS | st.just("ignore"), min_size=1, max_size=5),
    user=TEXTS,
    key=TEXTS,
    decimal_mark=st.sampled_from(["", ".", ","]),
    values=st.dictionaries(
        st.just("Comments"),
        st.dictionaries(TEXTS.map(str.casefold).map(str.strip).filter(bool), st.just("x"), min_size=1),
    ),
    write_policy=st.dictionaries(FIELDS, st.sampled_from(WritePolicy), max_size=3),
)


@given(RECIPES)
def test_what_is_written_is_read_again(recipe):
    assert parse_recipe("any", format_recipe(recipe)) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Kundennr = 1", "Kundennr is not known"),
        ("decimal = ','\n[columns]\nA = 'Fax'", "did you mean decimal_mark"),
        ("decimal_mark = ';'\n[columns]\nA = 'Fax'", "decimal_mark must be one of: . ,"),
        ("[columns]\nA = 'Fxa'", "did you mean fax|Did you mean Fax"),
        ("[columns]\nA = 1", r"\[columns\] must be a table of lines such as Kundennr"),
        ("values = 1", r"such as \"Anna\" = \"5012\" below"),
        ("[values]\nFax = 'x'", r"\[values\] must be a table"),
        ("[write_policy]\nFax = 1", r"such as Fax = \"never\""),
        ("user = 1", "user must be a text in quotation marks"),
        ("", "no headings"),
        ("[columns", "not valid TOML"),
        ("[columns]\nA = 'Fax'\n[values.CustomerId]\nAnna = '163'", "not about a field that is updated"),
        ("[columns]\nA = 'Fax'\n[values.IsWholesale]\naktiv = 'maybe'", "'maybe', the value of “aktiv”, is not a yes"),
        ("[columns]\nA = 'Fax'\n[values.Fax]\nx = 1", "1, the value of “x”, is not a phone for Fax"),
        (
            "[columns]\nA = 'Fax'\n[values.AccountManager1Commission]\nx = '2,5'",
            "'2,5', the value of “x”, is not a dec",
        ),
        ("[columns]\nA = 'Fax'\n[values.IsWholesale]\n'' = 'No'", "a blank, which always means no change"),
        ("[columns]\nA = 'Fax'\n[values.IsWholesale]\nja = 'Yes'\nJA = 'No'", "twice"),
        ("[columns]\nA = 'Fax'\n[write_policy]\nFax = 'sometimes'", "policy “Fax=sometimes” is not understood"),
    ],
)
def test_a_recipe_that_cannot_be_used_says_why(text, message):
    with pytest.raises(UsageError, match=message) as raised:
        parse_recipe("shop", text)
    assert "The recipe shop cannot be used" in str(raised.value)


def test_values_are_written_with_the_decimal_mark_of_the_recipe():
    text = "decimal_mark = ','\n[columns]\nA = 'Fax'\n[values.AccountManager1Commission]\nhalf = '2,5'"
    assert parse_recipe("shop", text).values == {"AccountManager1Commission": {"half": "2,5"}}


def test_the_file_of_a_recipe_can_be_read_and_has_nothing_that_was_not_said():
    recipe = Recipe("shop", {"Größe": "ignore", "Fax": "Fax"}, key="Mail", values={"Fax": {"x": "1"}})
    _, *lines = format_recipe(recipe).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        'key = "Mail"', "", "[columns]", '"Größe" = "ignore"', 'Fax = "Fax"', "", "[values.Fax]", 'x = "1"',
    ]  # fmt: skip


def test_a_recipe_fits_exactly_its_own_headings_however_they_are_spelled():
    recipe = Recipe("shop", {"Kunden-Nr": "CustomerId", "Fax": "Fax"})
    assert recipe.fits(["fax", "KUNDEN NR", " "])
    assert recipe.compare(["Fax", "Mail"]) == (["Kunden-Nr"], ["Mail"])
    assert not recipe.fits(["Fax"])
    assert not recipe.fits(["Fax", "Kunden-Nr", "Mail"])


def test_a_column_of_the_ids_that_were_found_belongs_to_a_recipe_with_a_key():
    columns = {"Mail": "Email", "Fax": "Fax"}
    headings = ["Mail", "Fax", "CustomerId"]
    assert Recipe("shop", columns, key="Mail").fits(headings)
    assert not Recipe("shop", columns).fits(headings)
    assert not Recipe("shop", columns, key="Mail").fits([*headings, "Name"])


def test_recipes_for_the_same_headings_are_known():
    one, other = Recipe("a", {"A": "Fax", "B": "Name"}), Recipe("b", {"b": "Fax", "a": "ignore"})
    assert one.has_headings_of(other)
    assert not one.has_headings_of(Recipe("c", {"A": "Fax"}))
    assert not Recipe("c", {"A": "Fax"}).has_headings_of(one)
    with_ids = Recipe("d", {"A": "Fax", "B": "Name", "CustomerId": "CustomerId"})
    by_key = Recipe("e", {"A": "Fax", "B": "Name"}, key="B")
    assert not by_key.has_headings_of(with_ids), "its sheets may have a column of ids, but need none"
    assert not with_ids.has_headings_of(by_key)


def test_a_recipe_is_described_in_a_line():
    recipe = Recipe(
        "shop", {"Nr": "CustomerId", "Fax": "Fax", "Note": "ignore", "": "ignore"}, key="Mail", decimal_mark=",",
        values={"Fax": {"x": "1"}}, write_policy={"Fax": WritePolicy.NEVER},
    )  # fmt: skip
    assert recipe.describe() == (
        "Nr → CustomerId; ignored: Note; customers found by Mail; decimal comma; values of Fax translated; Fax never"
    )
    assert Recipe("shop", {"Fax": "Fax"}, decimal_mark=".").describe() == ""
    assert Recipe("shop", {"Mail": "ignore", "Fax": "Fax"}, key="Mail").describe() == "customers found by Mail"


@pytest.mark.parametrize(
    ("text", "name"),
    [("Kunden (neu).XLSX", "kunden-neu-xlsx"), ("--", "recipe"), ("a" * 50, "a" * 40), (f"{'a' * 39}-b", "a" * 39)],
)
def test_a_name_is_made_of_any_text(text, name):
    assert make_recipe_name(text) == require_recipe_name(name) == name


@pytest.mark.parametrize("name", ["", "A b", "../x", "a/b", "é"])
def test_another_name_is_refused_and_one_suggested(name):
    with pytest.raises(UsageError, match="cannot be the name") as refused:
        require_recipe_name(name)
    assert make_recipe_name(name) in str(refused.value.remedy)
