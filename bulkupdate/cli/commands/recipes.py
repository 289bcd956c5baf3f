"""`recipes`: how sheets with the user's own headings are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.key_options import key_options
from bulkupdate.cli.options import common_options, list_given, show_settings
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.clock import Clock
from bulkupdate.customers.recipe import format_recipe
from bulkupdate.customers.write_policy import parse_write_policy
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.loading.recipe_folder import (
    delete_recipe,
    find_recipe,
    list_recipes,
    recipe_path,
    save_recipe,
    share_recipes,
)
from bulkupdate.runs.loading.recipe_making import make_recipe
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA


@click.command(
    "recipes",
    cls=Command,
    examples={
        "": "List the recipes.",
        'save shop export.csv --map "Kundennr=CustomerId"': "Remember how sheets like this one are read.",
        "show shop": "Show a recipe; with a run's id, the one that it kept.",
        "delete shop": "Delete it.",
    },
)
@common_options
@partial(show_settings, names=("write_policy",))
@click.argument("action", type=click.Choice(["list", "show", "save", "delete"]), default="list")
@click.argument("name", default="")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@option("--everyone", is_flag=True, help="With save: the recipe is for all users of this state folder.")
@sheet_options
@key_options
def command(
    invocation: Invocation, action: str, name: str, file: Path | None, everyone: bool, sheet_options: SheetOptions
) -> int:
    """List the recipes, or show, save or delete the one called NAME.

    A recipe says how sheets with certain headings are read: which field each heading means, the key, values that stand
    for others, decimal mark, sheet and encoding. `check`, `match`, `run` and `nightly` use the one that fits the
    headings of a sheet, and say so.
    """
    if action != "list" and not name:
        raise UsageError(f"`recipes {action}` needs the name of a recipe.", remedy="`bulkupdate recipes` lists them.")
    if (action == "save") != (file is not None):
        raise UsageError(
            "`recipes save` needs a sheet, and the other actions none.",
            remedy='For example: bulkupdate recipes save shop export.csv --map "Kundennr=CustomerId".',
        )
    with share_recipes(invocation.settings):
        if action == "save" and file is not None:
            return _save(name, file, sheet_options, invocation, is_for_everyone=everyone)
        actions: dict[str, Callable[[str, Invocation], int]] = {"list": _list, "show": _show, "delete": _delete}
        return actions[action](name, invocation)


def _list(_name: str, invocation: Invocation) -> int:
    state_dir = invocation.settings.state_dir
    recipes = list_recipes(state_dir)
    if invocation.as_json:
        print_json([{"schema": JSON_SCHEMA, "name": recipe.name, "user": recipe.user or None,
                     "path": str(recipe_path(state_dir, recipe.name)), "headings": list(recipe.columns)}
                    for recipe in recipes])  # fmt: skip
        return ExitCode.DONE
    for recipe in recipes:
        click.echo(f"{recipe.name:<24} {recipe.user or 'everyone'}: {recipe.describe()}")
    folder = recipe_path(state_dir, "x").parent
    invocation.console.info(f"They are in {folder}." if recipes else "There are no recipes yet: `recipes save`.")
    return ExitCode.DONE


def _show(name: str, invocation: Invocation) -> int:
    text = _read(name, invocation)
    if invocation.as_json:
        print_json({"schema": JSON_SCHEMA, "name": name, "text": text})
    else:
        click.echo(text, nl=False)
    return ExitCode.DONE


def _read(name: str, invocation: Invocation) -> str:
    """Return the file of a recipe, or what the run with that id kept of one."""
    if not name[:1].isdigit() or recipe_path(invocation.settings.state_dir, name).is_file():
        return format_recipe(find_recipe(invocation.settings.state_dir, name))
    with Journal(invocation.settings.store, Clock(), checks_pages=False) as journal:
        run = journal.find_run(name)
    if not run.options.recipe:
        raise UsageError(f"Run {run.id} used no recipe.")
    return run.options.recipe_text


def _save(name: str, file: Path, options: SheetOptions, invocation: Invocation, *, is_for_everyone: bool) -> int:
    settings = invocation.settings
    recipe = make_recipe(name, file, settings, options, user="" if is_for_everyone else settings.username)
    if list_given("write_policy"):
        recipe = replace(recipe, write_policy=parse_write_policy(settings.write_policy))
    path = save_recipe(settings.state_dir, recipe)
    invocation.console.info(f"Saved: {path}. {recipe.describe()}.")
    if invocation.as_json:
        print_json({"schema": JSON_SCHEMA, "name": recipe.name, "path": str(path)})
    return ExitCode.DONE


def _delete(name: str, invocation: Invocation) -> int:
    delete_recipe(invocation.settings.state_dir, name)
    invocation.console.info(f"Deleted: the recipe {name}.")
    if invocation.as_json:
        print_json({"schema": JSON_SCHEMA, "deleted": name})
    return ExitCode.DONE
