"""Which recipe a file is read by: that of its headings, and no other."""

from __future__ import annotations

import contextlib
import json

import pandas as pd
import pytest
from openpyxl import Workbook

from bulkupdate.customers.recipe import Recipe
from bulkupdate.customers.write_policy import WritePolicy
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.loading import recipe_choice
from bulkupdate.runs.loading.input_file import load_frame, load_input_file
from bulkupdate.runs.loading.recipe_folder import list_recipes, remember_recipe, save_recipe
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings
from tests.conftest import write_csv

COLUMNS = {"Kundennr": "CustomerId", "Vertreter": "AccountManager1Id", "Prov": "Commission", "Notiz": "ignore"}
LINES: list[list[object]] = [
    ["Notiz", "Kundennr", "Prov", "Vertreter"],
    ["x", 163, "2,50", "anna "],
    ["y", 164, "3", "5013"],
]
SHOP = Recipe("shop", COLUMNS, decimal_mark=",", values={"AccountManager1Id": {"Anna": "5012", "k.A.": ""}})


@pytest.fixture
def read(tmp_path):
    """Read a file as ann; the bodies that would be sent, and the recipe that was used."""

    def read_file(file, username="ann", **options):
        settings = Settings(state_dir=tmp_path, username=username)
        load = load_frame if isinstance(file, pd.DataFrame) else load_input_file
        loaded = load(file, settings, SheetOptions(**options))
        return [row.body and json.loads(row.body) for row in loaded.rows()], loaded.used.recipe, loaded

    return read_file


BODIES: list[dict[str, object]] = [
    {"AccountManager1Id": 5012, "AccountManager1Commission": 2.5},
    {"AccountManager1Id": 5013, "AccountManager1Commission": 3},
]


def test_headings_in_any_order_and_spelling_are_read_by_their_recipe(read, tmp_path):
    save_recipe(tmp_path, SHOP)
    sheet = write_csv(tmp_path / "a.csv", [["notiz", "KUNDEN-NR", "Prov.", "Vertreter"], *LINES[1:]])
    bodies, used, loaded = read(sheet)
    assert (bodies, used) == (BODIES, "shop")
    assert "Read by the recipe shop: Kundennr → CustomerId" in loaded.notes[0]
    assert [row.original for row in loaded.rows()] == [tuple(map(str, line)) for line in LINES[1:]], "as in the sheet"
    assert read(pd.DataFrame([[str(cell) for cell in line] for line in LINES[1:]], columns=LINES[0]))[:2] == (
        BODIES, "shop",
    )  # fmt: skip


def test_a_heading_that_is_mapped_but_not_there_is_refused(read, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Telefax"], [163, "1"]])
    with pytest.raises(InputFileError, match="no heading “Telfax”, which --map names"):
        read(sheet, heading_map={"Telfax": "Fax"}, ignore_unknown=True)


def test_the_key_of_a_recipe_counts_before_one_that_is_only_the_default(read, tmp_path):
    found_by = {"Mail": "Email", "Fon": "Phone1", "Notiz": "Comments"}
    list_file = write_csv(tmp_path / "list.csv", [["CustomerId", "Email", "Phone1"], [163, "a@example.com", "7"]])
    save_recipe(tmp_path, Recipe("shop", found_by, key="Mail", lookup=str(list_file)))
    sheet = write_csv(tmp_path / "a.csv", [[*found_by], ["a@example.com", "7", "x"]])
    for given in ({}, {"key": "Fon", "is_key_default": True}):
        assert read(sheet, **given)[2].used.key == "Mail"
    assert read(sheet, key="Fon", lookup=list_file)[2].used.key == "Fon"


def test_how_a_file_was_read_is_recorded_with_its_key(read, tmp_path):
    write_csv(tmp_path / "list.csv", [["CustomerId", "Email"], [163, "a@example.com"]])
    sheet = write_csv(tmp_path / "a.csv", [["Email", "Name"], ["a@example.com", "Ann"]])
    _, _, loaded = read(sheet, key="Email", lookup=tmp_path / "list.csv")
    assert (loaded.used.key, loaded.used.lookup) == ("Email", str(tmp_path / "list.csv"))
    _, _, loaded = read(write_csv(tmp_path / "b.csv", [["CustomerId", "Name"], [163, "Ann"]]))
    assert (loaded.used.key, loaded.used.lookup) == ("", "")


@pytest.mark.parametrize("headings", [LINES[0][:3], [*LINES[0], "Fax"]])
def test_other_headings_are_not(read, tmp_path, headings):
    save_recipe(tmp_path, SHOP)
    sheet = write_csv(tmp_path / "a.csv", [headings, [1, 163, 2, 5, 6][: len(headings)]])
    with pytest.raises(InputFileError, match="no column CustomerId"):
        read(sheet)
    with pytest.raises(InputFileError, match="The recipe shop is for sheets with other headings"):
        read(sheet, recipe="shop")


def test_the_own_recipe_counts_before_that_for_everyone_and_another_users_never(read, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", LINES)
    save_recipe(tmp_path, SHOP)
    save_recipe(tmp_path, Recipe("of-ann", COLUMNS, user="Ann", decimal_mark=",", values=SHOP.values))
    assert [read(sheet, name)[1] for name in ("ann", "bob")] == ["of-ann", "shop"]
    with pytest.raises(InputFileError, match="no column CustomerId"):
        read(sheet, no_recipe=True)
    save_recipe(tmp_path, Recipe("second", COLUMNS, user="ann"))
    with pytest.raises(InputFileError, match="Several recipes are for these headings: of-ann, second"):
        read(sheet)
    assert read(sheet, recipe="of-ann")[1] == "of-ann"


def test_what_the_user_gives_counts_before_the_recipe(read, tmp_path):
    save_recipe(tmp_path, SHOP)
    sheet = write_csv(tmp_path / "a.csv", [LINES[0], ["x", 163, "2.50", "Anna"]])
    bodies, _, _ = read(sheet, decimal_mark=".", heading_map={"notiz": "Comments"})
    assert bodies == [{**BODIES[0], "Comments": "x"}]


def test_sheet_encoding_and_policies_are_those_of_the_recipe(read, tmp_path):
    save_recipe(tmp_path, Recipe("book", {"Nr": "CustomerId", "Fax": "Fax"}, sheet="Zwei"))
    book = Workbook()
    for name, fax in (("Eins", "1"), ("Zwei", "2")):
        sheet = book.create_sheet(name)
        sheet.append(["Nr", "Fax"])
        sheet.append([163, fax])
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx")[0] == [{"Fax": "2"}]
    columns = {"Číslo": "CustomerId", "Poznámka": "Comments", "Fax": "Fax"}
    policy = {"Fax": WritePolicy.NEVER, "Comments": WritePolicy.ONLY_IF_EMPTY}
    save_recipe(tmp_path, Recipe("czech", columns, encoding="cp1250", write_policy=policy))
    (tmp_path / "b.csv").write_bytes("Číslo;Poznámka;Fax\n163;žluť;1\n".encode("cp1250"))
    bodies, _, loaded = read(tmp_path / "b.csv")
    assert bodies == [{"Comments": "žluť"}]
    assert loaded.used.guarded == {"Comments"}


def test_a_text_in_no_table_is_refused_and_a_translated_blank_is_no_change(read, tmp_path):
    save_recipe(tmp_path, SHOP)
    lines = [LINES[0], ["", 163, "", "K.A."], ["", 164, "1", "Bob"]]
    bodies, _, loaded = read(write_csv(tmp_path / "a.csv", lines))
    assert bodies == [None, None]
    (problem,) = loaded.problems
    assert (problem.row, problem.value) == (3, "Bob")
    assert "the values of AccountManager1Id in the recipe" in problem.remedy


def test_a_broken_recipe_stops_everything_that_it_could_be_for(read, tmp_path):
    save_recipe(tmp_path, SHOP)
    (tmp_path / "recipes" / "other.toml").write_text("[columns")
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Fax"], [163, 1]])
    with pytest.raises(UsageError, match="The recipe other cannot be used"):
        read(sheet)
    assert read(sheet, no_recipe=True)[0] == [{"Fax": "1"}]


def test_remembering_replaces_the_same_users_recipe_for_the_same_headings(tmp_path):
    first = remember_recipe(tmp_path, Recipe("shop", COLUMNS, user="ann"))
    other = remember_recipe(tmp_path, Recipe("shop", COLUMNS, user="bob"))
    again = remember_recipe(tmp_path, Recipe("list", {**COLUMNS, "Prov": "ignore"}, user="Ann"))
    assert (first.name, other.name, again.name) == ("shop", "shop-2", "shop")
    assert {each.name: each.columns["Prov"] for each in list_recipes(tmp_path)} == {
        "shop": "ignore", "shop-2": "Commission",
    }  # fmt: skip


@pytest.mark.parametrize(("options", "times"), [({}, 1), ({"no_recipe": True}, 0), ({"recipe": "shop"}, 0)])
def test_the_recipes_of_other_hosts_are_fetched_before_one_is_chosen(read, tmp_path, monkeypatch, options, times):
    save_recipe(tmp_path, SHOP)
    fetched = []
    monkeypatch.setattr(recipe_choice, "fetch_recipes", fetched.append)
    with contextlib.suppress(InputFileError):
        read(write_csv(tmp_path / "a.csv", LINES), **options)
    assert len(fetched) == times
