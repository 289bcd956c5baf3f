"""How a file is to be read, as its user says, and how it was read in the end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bulkupdate.customers.write_policy import WritePolicy, parse_write_policy, select_fields
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.sheet import NumberChoice, ReadOptions


@dataclass(frozen=True)
class SheetOptions:
    """How a file is to be read, as its user says.

    `sheet` None: the only sheet with a key column. `heading_map` adds to the settings' own. `decimal_mark` None: a
    point. `encoding` is that of a text file, None to find out. `numbers` says what counts if a number format
    rounds, None to refuse such cells. `key` names the column that customers are matched by instead of their ids, None
    for the ids; `lookup` is a second sheet with both, None to search the service. `check_ids`: the keys of rows with an
    id are searched as well, to compare the two. `settled` are the user's choices for ambiguous rows: ids by row number.

    `recipe` is the name of a recipe, or its file, None: the one that fits, if there is one, unless `no_recipe`. What is
    said here counts before it; but not a key and a lookup sheet that are only the default (`is_key_default`).
    `write_policy` adds to those of settings and recipe (`Field=policy, …`); for each field the strictest counts.
    `corrections` is a file of corrected cells (`corrections.py`), None: none.
    """

    sheet: str | None = None
    heading_map: Mapping[str, str] = field(default_factory=dict)
    decimal_mark: str | None = None
    ignore_unknown: bool = False
    encoding: str | None = None
    numbers: NumberChoice | None = None
    key: str | None = None
    lookup: Path | None = None
    check_ids: bool = False
    settled: Mapping[int, str] = field(default_factory=dict)
    recipe: str | Path | None = None
    no_recipe: bool = False
    is_key_default: bool = False
    write_policy: str = ""
    corrections: Path | None = None

    @property
    def reading(self) -> str:
        """The options that also hold for a sheet made from the file, as `RunOptions` keeps them."""
        arguments = [part for heading, name in self.heading_map.items() for part in ("--map", f"{heading}={name}")]
        arguments += ["--decimal", self.decimal_mark] if self.decimal_mark else []
        arguments += ["--recipe", str(self.recipe)] if self.recipe else []
        flags = {"--ignore-unknown": self.ignore_unknown, "--no-recipe": self.no_recipe}
        return shlex.join(arguments + [name for name, is_set in flags.items() if is_set])


@dataclass(frozen=True)
class UsedReading:
    """How a file was read, as its run keeps it.

    `key`, `lookup` and `reading` are as in `RunOptions`. `recipe` is the name of the recipe that was used, empty if
    none, and `recipe_text` its file at that time. `write_policy` has the policies of the fields that have a column.
    """

    key: str = ""
    lookup: str = ""
    reading: str = ""
    recipe: str = ""
    recipe_text: str = ""
    write_policy: str = ""

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The fields that are only written if they are empty."""
        return select_fields(parse_write_policy(self.write_policy), WritePolicy.ONLY_IF_EMPTY)


def make_read_options(settings: Settings, options: SheetOptions) -> ReadOptions:
    """Return how to read a file: as its user says, within the limits of the settings."""
    return ReadOptions(
        sheet=options.sheet,
        heading_map=options.heading_map,
        max_rows=settings.max_rows,
        max_cells=settings.max_cells,
        max_unpacked_bytes=settings.max_unpacked_bytes,
        encoding=options.encoding,
        numbers=options.numbers,
        key=options.key,
    )
