"""Make a recipe from the way a file is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bulkupdate.customers.headings import IGNORE, recognize_headings
from bulkupdate.customers.recipe import Recipe, require_recipe_name
from bulkupdate.errors import InputFileError
from bulkupdate.runs.loading.input_sheet import InputSheet, read_input_sheet
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.settings import Settings


def make_recipe(name: str, file: Path, settings: Settings, options: SheetOptions, user: str) -> Recipe:
    """Return the recipe by which this file is read with these options; `user` is whose it is, empty for everyone.

    Raises `InputFileError` if a heading of the file means nothing, unless unknown ones are ignored, and as
    `read_input_sheet` does.
    """
    require_recipe_name(name)
    options = replace(options, no_recipe=options.recipe is None)
    read = read_input_sheet(file, settings, options, lambda _key, _keys: FoundCustomers({}))
    used, recipe = read.choice.options, read.choice.recipe
    return Recipe(
        name,
        _list_columns(read, ignore_unknown=options.ignore_unknown),
        user=user,
        key=used.key or "",
        lookup=str(used.lookup.resolve()) if used.lookup else "",
        sheet=used.sheet or "",
        encoding=used.encoding or "",
        decimal_mark=used.decimal_mark or "",
        numbers=used.numbers or "",
        values=recipe.values if recipe else {},
        write_policy=recipe.write_policy if recipe else {},
    )


def _list_columns(read: InputSheet, *, ignore_unknown: bool) -> dict[str, str]:
    is_id_added = read.matched is not None and read.matched.is_id_added
    headings = read.sheet.headings[:-1] if is_id_added else read.sheet.headings
    header = recognize_headings(headings, read.choice.heading_map)
    columns = {}
    for index, heading in enumerate(headings):
        if index in header.added:
            continue
        is_known = header.is_understood(index) or index == read.sheet.header.matched_by
        if not is_known and not ignore_unknown:
            raise InputFileError(
                f"The meaning of the heading “{heading}” is not given.",
                remedy=f'Add --map "{heading}=FIELD" or --map "{heading}={IGNORE}", or --ignore-unknown for all.',
            )
        field = header.fields[index]
        columns[heading.strip()] = field.name if field else IGNORE
    return columns
