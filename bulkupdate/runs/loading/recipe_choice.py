"""Choose the recipe by which a file is read: the one that is named, or the one whose headings the file has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bulkupdate.customers.headings import (
    HeaderRow,
    describe_common,
    describe_headings,
    merge_heading_maps,
    recognize_headings,
    require_mapped_headings,
)
from bulkupdate.customers.recipe import Recipe, format_recipe
from bulkupdate.customers.write_policy import WritePolicy, merge_policies, parse_write_policy
from bulkupdate.errors import InputFileError
from bulkupdate.runs.loading.recipe_folder import fetch_recipes, find_recipe, list_own_recipes
from bulkupdate.runs.loading.sheet_reading import SheetOptions, UsedReading, make_read_options
from bulkupdate.runs.matching.key import Key, find_key
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.sheet import NumberChoice, ReadOptions, ReadTops

_NUMBERS: Mapping[str, NumberChoice] = {"displayed": "displayed", "stored": "stored"}


@dataclass
class RecipeChoice:
    """How a file will be read: as `given`, and, once it is seen, by the recipe that was found.

    `recipe` is None as long as none was found. Raises `UsageError` if a recipe cannot be read.
    """

    settings: Settings
    given: SheetOptions
    recipe: Recipe | None = None
    _recipes: Sequence[Recipe] = field(init=False)

    def __post_init__(self) -> None:
        state_dir = self.settings.state_dir
        if self.given.recipe is not None:
            self._recipes = [find_recipe(state_dir, self.given.recipe)]
        else:
            self._recipes = [] if self.given.no_recipe else self._list_own()

    def _list_own(self) -> Sequence[Recipe]:
        fetch_recipes(self.settings)
        return list_own_recipes(self.settings.state_dir, self.settings.username)

    @property
    def has_recipes(self) -> bool:
        """Whether there is a recipe to choose from."""
        return bool(self._recipes)

    @property
    def options(self) -> SheetOptions:
        """How the file is read: what the user gave counts before the recipe, and that before defaults."""
        given, recipe = self.given, self.recipe
        if recipe is None:
            return given
        is_key_given = given.key is not None and not given.is_key_default
        key, lookup = recipe.key or None, Path(recipe.lookup) if recipe.lookup else None
        return replace(
            given,
            sheet=given.sheet or recipe.sheet or None,
            heading_map=merge_heading_maps(recipe.columns, given.heading_map),
            decimal_mark=given.decimal_mark or recipe.decimal_mark or None,
            encoding=given.encoding or recipe.encoding or None,
            numbers=given.numbers or _NUMBERS.get(recipe.numbers),
            key=given.key if is_key_given else key,
            lookup=given.lookup if is_key_given else lookup,
        )

    @property
    def heading_map(self) -> dict[str, str]:
        """The heading map of settings, recipe and user."""
        return merge_heading_maps(self.settings.heading_map, self.options.heading_map)

    @property
    def key(self) -> Key | None:
        """The column that customers are found by, None for their ids."""
        name = self.options.key
        return None if name is None else find_key(name, self.heading_map)

    @property
    def policies(self) -> dict[str, WritePolicy]:
        """What may be written to each field: the strictest of what settings, recipe and user say."""
        settled = merge_policies(
            parse_write_policy(self.settings.write_policy), self.recipe.write_policy if self.recipe else {}
        )
        return merge_policies(settled, parse_write_policy(self.given.write_policy))

    @property
    def read_options(self) -> ReadOptions:
        """How the file is read, for `spreadsheets/reading`."""
        heading_map = self.heading_map if self.key is None else self.key.map_to_id(self.heading_map)
        options = make_read_options(self.settings, replace(self.options, heading_map=heading_map))
        return replace(options, choose=self._choose) if self.has_recipes else options

    def describe(self, header: HeaderRow) -> tuple[str, ...]:
        """Return notes on the recipe, and on headings that are taken for fields though they are not their names."""
        notes = []
        if self.recipe is not None:
            does = self.recipe.describe()
            notes.append(f"Read by the recipe {self.recipe.name}{': ' if does else ''}{does}.")
        if taken := describe_common(header, self.heading_map):
            notes.append(f"Headings taken for fields: {', '.join(taken)}.")
        return tuple(notes)

    def record(self, fields: Collection[str]) -> UsedReading:
        """Return how the file was read, for its run; `fields` are those that have a column."""
        options, recipe = self.options, self.recipe
        policies = ",".join(f"{name}={policy}" for name, policy in self.policies.items() if name in fields)
        reading = replace(self.given, recipe=self.given.recipe or recipe.name) if recipe else self.given
        return UsedReading(
            key=options.key or "",
            lookup=str(options.lookup or ""),
            reading=reading.reading,
            recipe=recipe.name if recipe else "",
            recipe_text=format_recipe(recipe) if recipe else "",
            write_policy=policies,
        )

    def require_fit(self, header: HeaderRow) -> None:
        """Raise `InputFileError` if the recipe, or the user's own map, is not for the headings that were read."""
        if self.recipe is not None and not self.recipe.fits(_list_own(header)):
            raise self._refuse(self.recipe, header.headings)
        require_mapped_headings(header, self.given.heading_map)

    def _choose(self, read_tops: ReadTops) -> ReadOptions:
        fitting = [recipe for recipe in self._recipes if self._fits(recipe, read_tops)]
        best = [recipe for recipe in fitting if bool(recipe.user) == bool(fitting[0].user)]
        if len(best) > 1:
            names = ", ".join(recipe.name for recipe in best)
            raise InputFileError(
                f"Several recipes are for these headings: {names}.",
                remedy=f"Name one: --recipe {best[0].name}. Or delete the others.",
            )
        self.recipe = next(iter(best), None)
        if self.recipe is None and self.given.recipe is not None:
            wanted = self._recipes[0]
            rows = (cells for top in read_tops(wanted.encoding or None, self.given.sheet) for _, cells in top.rows)
            raise self._refuse(wanted, max(rows, key=lambda cells: -sum(map(len, wanted.compare(cells))), default=()))
        return self.read_options

    def _fits(self, recipe: Recipe, read_tops: ReadTops) -> bool:
        tops: Iterator[Sequence[str]] = iter(())
        with suppress(InputFileError):  # the encoding is not certain, and the recipe does not name it
            read = read_tops(self.given.encoding or recipe.encoding or None, self.given.sheet or recipe.sheet or None)
            tops = (cells for top in read for _, cells in top.rows)
        return any(recipe.fits(_list_own(recognize_headings(cells, recipe.columns))) for cells in tops)

    def _refuse(self, recipe: Recipe, headings: Sequence[str]) -> InputFileError:
        missing, _ = recipe.compare(headings)
        lacks = f" {', '.join(f'“{heading}”' for heading in missing[:5])} is missing." if missing else ""
        return InputFileError(
            f"The recipe {recipe.name} is for sheets with other headings.{lacks} {describe_headings(headings)}",
            remedy="Name another recipe, or none: --no-recipe.",
        )


def _list_own(header: HeaderRow) -> list[str]:
    """Return the headings of the user's own columns, without those that our results and to-fix sheets add."""
    return [heading for index, heading in enumerate(header.headings) if index not in header.added]
