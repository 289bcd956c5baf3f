"""How a file is read: what of it holds for sheets made from the file, too."""

from __future__ import annotations

import pytest

from bulkupdate.runs.loading.sheet_reading import SheetOptions


@pytest.mark.parametrize(
    ("options", "reading"),
    [
        (SheetOptions(), ""),
        (SheetOptions(sheet="A", encoding="utf-8", key="Email", check_ids=True), ""),
        (SheetOptions(heading_map={"Tel. privat": "Phone1"}), "--map 'Tel. privat=Phone1'"),
        (SheetOptions(decimal_mark=",", recipe="shop"), "--decimal , --recipe shop"),
        (SheetOptions(ignore_unknown=True, no_recipe=True), "--ignore-unknown --no-recipe"),
    ],
)
def test_headings_numbers_and_recipe_are_read_again_as_they_were(options: SheetOptions, reading: str) -> None:
    assert options.reading == reading
