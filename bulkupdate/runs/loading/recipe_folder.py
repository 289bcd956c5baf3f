"""The saved recipes: one file each in the folder `recipes` of the state folder, of a user or for everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from bulkupdate.customers.recipe import Recipe, format_recipe, parse_recipe, require_recipe_name
from bulkupdate.errors import UsageError
from bulkupdate.files import replace_file
from bulkupdate.settings import Settings
from bulkupdate.settings_sources import read_settings_text
from bulkupdate.text import fold_name

FOLDER = "recipes"
ENDING = ".toml"
_MOST_NAMES = 1000


def fetch_recipes(settings: Settings) -> None:
    """Fetch the recipes of other hosts with the same database, and give them those of this one."""
    with _open_shared(settings):
        pass


@contextmanager
def share_recipes(settings: Settings) -> Iterator[None]:
    """Fetch the recipes of other hosts with the same database, and give them what the block changes."""
    with _open_shared(settings) as sync:
        yield
        sync()


@contextmanager
def _open_shared(settings: Settings) -> Iterator[Callable[[], None]]:
    """Make the recipes of all hosts the same; yield the function that does so again."""
    if not settings.database:
        yield lambda: None
        return
    from bulkupdate.store.file_mirror import FileMirror  # only with the optional PostgreSQL
    from bulkupdate.store.shared_store import SharedStore

    with closing(SharedStore(settings.database)) as store:
        mirror = FileMirror(store, settings.state_dir, FOLDER, lambda path: path.suffix == ENDING)
        mirror.sync()
        yield mirror.sync


def recipe_path(state_dir: Path, name: str) -> Path:
    """Return where a recipe is, or would be. Raises `UsageError` if it cannot be the name of one."""
    return state_dir / FOLDER / f"{require_recipe_name(name)}{ENDING}"


def list_recipes(state_dir: Path) -> list[Recipe]:
    """Return all recipes by name. Raises `UsageError` if a file is not one: it could be that of the sheet at hand."""
    paths = sorted((state_dir / FOLDER).glob(f"*{ENDING}"), key=lambda path: path.stem)
    return [parse_recipe(path.stem, read_settings_text(path)) for path in paths]


def list_own_recipes(state_dir: Path, username: str) -> list[Recipe]:
    """Return the recipes of a user, then those for everyone. Raises as `list_recipes` does."""
    own = fold_name(username)
    found = [recipe for recipe in list_recipes(state_dir) if fold_name(recipe.user) in ("", own)]
    return sorted(found, key=lambda recipe: not recipe.user)


def find_recipe(state_dir: Path, name: str | Path) -> Recipe:
    """Return the recipe of this name, or in this file if it ends in .toml. Raises `UsageError` if there is none."""
    if str(name).endswith(ENDING):
        path = Path(name)
        return parse_recipe(path.stem, read_settings_text(path))
    path = recipe_path(state_dir, str(name))
    if not path.is_file():
        raise UsageError(f"There is no recipe {name}.", remedy="`bulkupdate recipes` lists them.")
    return parse_recipe(str(name), read_settings_text(path))


def save_recipe(state_dir: Path, recipe: Recipe) -> Path:
    """Write a recipe, in place of an earlier one of its name; return its path. Raises `UsageError`."""
    path = recipe_path(state_dir, recipe.name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replace_file(path) as stream:
        stream.write(format_recipe(recipe).encode())
    return path


def remember_recipe(state_dir: Path, recipe: Recipe) -> Recipe:
    """Save a recipe in place of the same user's for the same headings, else under a name that is free; return it."""
    known = list_recipes(state_dir)
    same = [old for old in known if fold_name(old.user) == fold_name(recipe.user) and old.has_headings_of(recipe)]
    taken = {other.name for other in known}
    names = [recipe.name, *(f"{recipe.name}-{number}" for number in range(2, _MOST_NAMES))]
    name = same[0].name if same else next(name for name in names if name not in taken)
    saved = replace(recipe, name=name)
    save_recipe(state_dir, saved)
    return saved


def delete_recipe(state_dir: Path, name: str) -> None:
    """Delete a recipe. Raises `UsageError` if there is none of this name."""
    try:
        recipe_path(state_dir, name).unlink()
    except FileNotFoundError:
        raise UsageError(f"There is no recipe {name}.", remedy="`bulkupdate recipes` lists them.") from None
    except OSError as error:
        raise UsageError(f"The recipe {name} cannot be deleted: {error.strerror}.") from error
