"""A recipe made from the way a file is read: by it the file is read in the same way again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.recipe_folder import save_recipe
from bulkupdate.runs.loading.recipe_making import make_recipe
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from tests.conftest import write_csv

MAP = {"Nr": "CustomerId", "Firma": "Name", "Provision": "AccountManager1Commission", "Notiz": "ignore"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def write_shop(folder: Path) -> Path:
    return write_csv(folder / "a.csv", [["Nr", " Firma ", "Provision", "Notiz"], [7, "a", "1,5", "x"]])


def test_a_file_is_read_by_its_recipe_as_it_was_by_the_options(tmp_path: Path, settings: Settings) -> None:
    file = write_shop(tmp_path)
    options = SheetOptions(heading_map=MAP, decimal_mark=",", encoding="utf-8")
    recipe = make_recipe("shop", file, settings, options, "anna")
    assert recipe.columns == MAP
    assert (recipe.name, recipe.user, recipe.key, recipe.lookup, recipe.sheet) == ("shop", "anna", "", "", "")
    assert (recipe.decimal_mark, recipe.encoding) == (",", "utf-8")
    save_recipe(settings.state_dir, recipe)
    again = load_input_file(file, settings, SheetOptions(recipe="shop"))
    assert [row.body for row in again.rows()] == [row.body for row in load_input_file(file, settings, options).rows()]


def test_what_our_own_sheets_add_is_no_column_of_a_recipe(tmp_path: Path, settings: Settings) -> None:
    cells = [["Row", "Reason", "How to fix", "CustomerId", "Name"], [2, "invalid: x", "y", 7, "a"]]
    recipe = make_recipe("shop", write_csv(tmp_path / "a.csv", cells), settings, SheetOptions(), "")
    assert recipe.columns == {"CustomerId": "CustomerId", "Name": "Name"}


def test_only_a_recipe_that_is_named_lends_its_values_and_policies(tmp_path: Path, settings: Settings) -> None:
    file = write_shop(tmp_path)
    options = SheetOptions(heading_map=MAP, decimal_mark=",")
    saved = save_recipe(settings.state_dir, make_recipe("own", file, settings, options, ""))
    saved.write_text(saved.read_text() + '\n[values.Name]\na = "b"\n\n[write_policy]\nName = "only-if-empty"\n')
    named = make_recipe("second", file, settings, SheetOptions(recipe="own"), "")
    assert (named.values, list(named.write_policy), named.columns) == ({"Name": {"a": "b"}}, ["Name"], MAP)
    other = make_recipe("third", file, settings, options, "")
    assert (other.values, other.write_policy, other.columns) == ({}, {}, MAP)
