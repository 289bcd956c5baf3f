"""Recipes are kept in the state folder: saved, found, made from a file, and deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.customers.recipe import Recipe
from bulkupdate.customers.write_policy import WritePolicy
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.loading.recipe_folder import (
    delete_recipe,
    fetch_recipes,
    find_recipe,
    list_own_recipes,
    list_recipes,
    remember_recipe,
    save_recipe,
    share_recipes,
)
from bulkupdate.runs.loading.recipe_making import make_recipe
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from tests.conftest import write_csv
from tests.postgres import find_program, run_postgres

SHOP = Recipe("shop", {"Kundennr": "CustomerId", "Telefax": "Fax"})


def test_a_recipe_is_found_by_name_or_file_until_it_is_deleted(tmp_path: Path) -> None:
    path = save_recipe(tmp_path, SHOP)
    assert find_recipe(tmp_path, "shop") == find_recipe(tmp_path, path) == SHOP
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    delete_recipe(tmp_path, "shop")
    for use in (find_recipe, delete_recipe):
        with pytest.raises(UsageError, match="There is no recipe shop") as refused:
            use(tmp_path, "shop")
        assert refused.value.remedy == "`bulkupdate recipes` lists them."


def test_a_recipe_that_cannot_be_deleted_says_why(tmp_path: Path) -> None:
    (tmp_path / "recipes" / "shop.toml").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"The recipe shop cannot be deleted: Is a directory\."):
        delete_recipe(tmp_path, "shop")


def test_ones_own_recipes_come_before_those_for_everyone_and_others_are_not_listed(tmp_path: Path) -> None:
    for name, user in (("a-all", ""), ("b-bert", "bert"), ("c-anna", "Anna")):
        save_recipe(tmp_path, replace(SHOP, name=name, user=user))
    assert [recipe.name for recipe in list_own_recipes(tmp_path, "anna")] == ["c-anna", "a-all"]


def test_a_remembered_recipe_replaces_that_of_the_same_user_for_the_same_headings_only(tmp_path: Path) -> None:
    assert remember_recipe(tmp_path, SHOP).name == "shop"
    assert remember_recipe(tmp_path, replace(SHOP, decimal_mark=",")).name == "shop"
    assert remember_recipe(tmp_path, replace(SHOP, user="anna")).name == "shop-2"
    other = replace(SHOP, columns={**SHOP.columns, "Mail": "Email"})
    assert remember_recipe(tmp_path, other).name == "shop-3"
    assert [recipe.name for recipe in list_recipes(tmp_path)] == ["shop", "shop-2", "shop-3"]


def make(folder: Path, headings: list[str], **options: object) -> Recipe:
    sheet = write_csv(folder / "a.csv", [headings, ["163", "a@example.com", "7"]])
    settings = Settings(state_dir=folder)
    return make_recipe("made", sheet, settings, SheetOptions(**options), "anna")  # type: ignore[arg-type]


def test_a_recipe_is_made_from_the_way_a_file_is_read(tmp_path: Path) -> None:
    meant = {"Kundennr": "CustomerId", "Notiz": "ignore"}
    headings = ["Kundennr", "Email", "Notiz "]
    made = make(
        tmp_path, headings, heading_map=meant, decimal_mark=",", encoding="utf-8", numbers="stored"
    )  # fmt: skip
    assert made == Recipe(
        "made", {"Kundennr": "CustomerId", "Email": "Email", "Notiz": "ignore"}, user="anna", decimal_mark=",",
        encoding="utf-8", numbers="stored",
    )  # fmt: skip


def test_a_recipe_keeps_key_and_lookup_sheet(tmp_path: Path) -> None:
    lookup = write_csv(tmp_path / "ids.csv", [["Email", "CustomerId"], ["a@example.com", "163"]])
    made = make(tmp_path, ["Nr", "Email", "Fax"], key="Email", lookup=lookup, heading_map={"Nr": "ignore"})
    assert made.columns == {"Nr": "ignore", "Email": "Email", "Fax": "Fax"}
    assert (made.key, made.lookup) == ("Email", str(lookup.resolve()))


def test_a_recipe_made_with_another_keeps_its_values_and_policy(tmp_path: Path) -> None:
    values = {"Fax": {"none": "<clear>"}}
    known = Recipe(
        "known", {"Nr": "CustomerId", "Email": "Email", "Fax": "Fax"}, values=values,
        write_policy={"Email": WritePolicy.ONLY_IF_EMPTY},
    )  # fmt: skip
    save_recipe(tmp_path, known)
    made = make(tmp_path, ["Nr", "Email", "Fax"], recipe="known")
    assert (made.values, made.write_policy) == (known.values, known.write_policy)


def test_a_heading_without_a_meaning_is_refused_unless_unknown_ones_are_ignored(tmp_path: Path) -> None:
    headings = ["CustomerId", "Email", "Colour"]
    with pytest.raises(InputFileError) as refused:
        make(tmp_path, headings)
    assert "Colour" in str(refused.value)
    assert make(tmp_path, headings, ignore_unknown=True).columns["Colour"] == "ignore"


def test_a_bad_name_is_refused_with_a_good_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        make_recipe("My Shop", tmp_path / "a.csv", Settings(state_dir=tmp_path), SheetOptions(), "")
    assert refused.value.remedy == "Use small letters, digits and hyphens: my-shop."


@pytest.mark.long
@pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")
def test_hosts_with_one_database_have_the_same_recipes(tmp_path: Path) -> None:
    with run_postgres() as postgres:
        database = postgres.make_database()
        here, there = (Settings(state_dir=tmp_path / name, database=database) for name in ("here", "there"))
        with share_recipes(here):
            save_recipe(here.state_dir, SHOP)
        fetch_recipes(there)
        assert list_recipes(there.state_dir) == [SHOP]
        with share_recipes(there):
            delete_recipe(there.state_dir, "shop")
        with share_recipes(here):
            assert list_recipes(here.state_dir) == [], "fetched before the block"


def test_without_a_database_recipes_stay_where_they_are(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    with share_recipes(settings):
        save_recipe(tmp_path, SHOP)
    fetch_recipes(settings)
    assert list_recipes(tmp_path) == [SHOP]
