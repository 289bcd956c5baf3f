"""A recipe: how sheets with certain headings are read. One TOML file each, a closed list of steps, no expressions."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID, normalize_heading
from bulkupdate.customers.headings import IGNORE, check_heading_map, find_field, shorten_heading
from bulkupdate.customers.plain_values import fold_value
from bulkupdate.customers.write_policy import WritePolicy, parse_write_policy
from bulkupdate.errors import UsageError
from bulkupdate.settings_file import format_setting

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ID = normalize_heading(CUSTOMER_ID.name)
_CHOICES = {"decimal_mark": (".", ","), "numbers": ("displayed", "stored")}
_HEAD = "# A recipe of bulkupdate: how sheets with exactly the headings of [columns] are read."
_EXPLANATIONS = {
    "columns": f'Each heading, with the customer field that it means, or "{IGNORE}".',
    "values": "What stands in the sheet, with the value that it means. Other texts are taken as they are.",
    "write_policy": f"Fields that are not simply overwritten: {', '.join(WritePolicy)}.",
}


@dataclass(frozen=True)
class Recipe:
    """How sheets with the headings of `columns` are read; an empty text or table means: not said here.

    `columns` has the field of each heading, or `ignore`. `user` is the login it belongs to, empty for everyone. `key`
    and `lookup` are as on the command line. `values` has a table for each field: text of the sheet = value.
    """

    name: str
    columns: Mapping[str, str]
    user: str = ""
    key: str = ""
    lookup: str = ""
    sheet: str = ""
    encoding: str = ""
    decimal_mark: str = ""
    numbers: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    write_policy: Mapping[str, WritePolicy] = field(default_factory=dict)

    def fits(self, headings: Iterable[str]) -> bool:
        """Return whether a sheet with these headings is read by the recipe: they are exactly its own.

        With a key, a column of the ids that were found may have been added.
        """
        return not any(self.compare(headings))

    def compare(self, headings: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return which of its headings are missing, and which there are besides."""
        given = {normalize_heading(heading): heading for heading in headings if heading.strip()}
        own = {normalize_heading(heading): heading for heading in self.columns if heading.strip()}
        besides = [heading for folded, heading in given.items() if folded not in own]
        if self.key:
            besides = [heading for heading in besides if normalize_heading(heading) != _ID]
        return [heading for folded, heading in own.items() if folded not in given], besides

    def has_headings_of(self, other: Recipe) -> bool:
        """Return whether both are for the same headings."""
        return not any(self.compare(other.columns)) and not any(other.compare(self.columns))

    def describe(self) -> str:
        """Return in one line what it does."""
        columns = {shorten_heading(heading): name for heading, name in self.columns.items() if heading}
        mapped = [f"{heading} → {name}" for heading, name in columns.items() if name not in (heading, IGNORE)]
        ignored = [heading for heading, name in columns.items() if name == IGNORE and heading != self.key]
        parts = [
            ", ".join(mapped),
            f"ignored: {', '.join(ignored)}" if ignored else "",
            f"customers found by {self.key}" if self.key else "",
            "decimal comma" if self.decimal_mark == "," else "",
            f"values of {', '.join(self.values)} translated" if self.values else "",
            ", ".join(f"{name} {policy}" for name, policy in self.write_policy.items()),
        ]
        return "; ".join(filter(None, parts))


def require_recipe_name(name: str) -> str:
    """Return the name. Raises `UsageError` if it cannot be that of a recipe."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name!r} cannot be the name of a recipe.",
            remedy=f"Use small letters, digits and hyphens: {make_recipe_name(name)}.",
        )
    return name


def make_recipe_name(text: str) -> str:
    """Return a name for a recipe that resembles a text, such as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:40].strip("-") or "recipe"


def parse_recipe(name: str, text: str) -> Recipe:
    """Return the recipe of a file. Raises `UsageError` with its name if it is not one."""
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refuse(name, f"it is not valid TOML ({error})") from None
    for key, value in found.items():
        _check_type(name, key, value)
    values = _read_values(name, found.get("values", {}), found.get("decimal_mark") or ".")
    recipe = Recipe(name, **{**found, "columns": found.get("columns", {}), "values": values})
    if not recipe.columns:
        raise _refuse(name, "it has no headings in [columns]")
    try:
        check_heading_map(recipe.columns)
        policy = parse_write_policy(", ".join(f"{field}={word}" for field, word in recipe.write_policy.items()))
    except UsageError as error:
        raise _refuse(name, str(error)) from None
    return Recipe(**{**vars(recipe), "write_policy": policy})


def _check_type(name: str, key: str, value: Any) -> None:
    own = [field.name for field in fields(Recipe) if field.name != "name"]
    if key not in own:
        near = get_close_matches(key, own, n=1)
        raise _refuse(name, f"{key} is not known{f'; did you mean {near[0]}?' if near else ''}")
    if key in _EXPLANATIONS:
        texts = value.values() if isinstance(value, dict) else [value]
        wanted = dict if key == "values" else str
        if not isinstance(value, dict) or not all(isinstance(text, wanted) for text in texts):
            raise _refuse(name, f"[{key}] must be a table of lines such as {_example(key)}")
    elif not isinstance(value, str):
        raise _refuse(name, f"{key} must be a text in quotation marks")
    elif key in _CHOICES and value not in ("", *_CHOICES[key]):
        raise _refuse(name, f"{key} must be one of: {' '.join(_CHOICES[key])}")


def _example(key: str) -> str:
    examples = {"columns": 'Kundennr = "CustomerId"', "values": '"Anna" = "5012" below [values.AccountManager1Id]'}
    return examples.get(key, 'Fax = "never"')


def _read_values(name: str, tables: Mapping[str, Any], decimal_mark: str) -> dict[str, dict[str, str]]:
    """Return the value tables by the names of the fields. A value must be one that a cell could hold."""
    read: dict[str, dict[str, str]] = {}
    for field_name, table in tables.items():
        field = find_field(field_name, {})
        if field is None or field is CUSTOMER_ID:
            raise _refuse(name, f"[values.{field_name}] is not about a field that is updated")
        read[field.name] = {}
        for text, value in table.items():
            if not isinstance(value, str) or parse_cell(field, value, decimal_mark).is_refused:
                raise _refuse(name, f"{value!r}, the value of “{text}”, is not a {field.type.label} for {field.name}")
            if not text.strip():
                raise _refuse(name, f"[values.{field.name}] has a blank, which always means no change")
            if fold_value(text) in map(fold_value, read[field.name]):
                raise _refuse(name, f"“{text}” is twice in [values.{field.name}]")
            read[field.name][text] = value
    return read


def _refuse(name: str, what: str) -> UsageError:
    return UsageError(
        f"The recipe {name} cannot be used: {what.rstrip('.')}.",
        remedy=f"Correct its file (`bulkupdate recipes` says where it is), or delete it: `bulkupdate recipes delete "
        f"{name}`.",
    )


def format_recipe(recipe: Recipe) -> str:
    """Return the file of a recipe."""
    return "\n".join([_HEAD, *_format(recipe)]) + "\n"


def _format(recipe: Recipe) -> Iterator[str]:
    for setting in fields(Recipe):
        value = getattr(recipe, setting.name)
        if setting.name != "name" and value and isinstance(value, str):
            yield format_setting(setting.name, value)
    for name, explanation in _EXPLANATIONS.items():
        table = getattr(recipe, name)
        if not table:
            continue
        yield f"\n# {explanation}"
        tables = {f"values.{field}": table[field] for field in table} if name == "values" else {name: table}
        for title, lines in tables.items():
            yield f"[{title}]"
            yield from (format_setting(_quote_key(key), str(value)) for key, value in lines.items())


def _quote_key(key: str) -> str:
    quoted = json.dumps(key, ensure_ascii=False).replace(chr(127), "\\u007f")
    return key if _BARE_KEY.fullmatch(key) else quoted
