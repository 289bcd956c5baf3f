from __future__ import annotations

import re

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from bulkupdate.customers.models import SHORTENED
from bulkupdate.spreadsheets.writing.escaping import (
    CELL_UNITS,
    format_inline_string,
    make_visible,
    neutralise_for_csv,
    shorten,
)
from tests.spreadsheets.writing.samples import FORMULAS, ODD_TEXTS

UTF8_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ESCAPE_LIKE = st.text(st.sampled_from("_x0041F\x01&\r\n"))


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def decode(xml: str) -> str:
    """The text as the standard (ISO 29500-1, 22.9.2.19) has it read: each `<t>` on its own, escapes turned back."""
    runs = ElementTree.fromstring(f"<is>{xml}</is>").iter("t")
    return "".join(re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), run.text or "") for run in runs)


@given(UTF8_TEXT | ESCAPE_LIKE)
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    assert decode(format_inline_string(text)) == text


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_an_odd_text_is_read_back_as_it_was(text: str) -> None:
    assert decode(format_inline_string(text)) == text


def test_half_of_a_surrogate_pair_is_shown_and_does_not_crash() -> None:
    assert decode(format_inline_string("a\ud800b")) == "a�b"
    assert neutralise_for_csv("a\udfffb") == "a�b"


@pytest.mark.parametrize("character", ["a", "é", "👩", "\x07"])
def test_a_text_that_just_fits_stays_whole(character: str) -> None:
    text = character * (CELL_UNITS // units(character))
    assert decode(format_inline_string(text)) == text


@pytest.mark.parametrize("text", ["x" * 40_000, "👩" * 20_000, "x" + "👩" * 20_000, "👩x" * 15_000])
def test_a_text_too_long_for_a_cell_is_cut_and_says_so(text: str) -> None:
    shortened = shorten(text)
    assert CELL_UNITS - 1 <= units(shortened) <= CELL_UNITS
    assert shortened.endswith(f"… [shortened: {len(text):,} characters]")
    assert SHORTENED.search(shortened)
    assert text.startswith(shortened[: SHORTENED.search(shortened).start()])


@pytest.mark.parametrize("text", FORMULAS)
def test_no_csv_cell_begins_like_a_formula(text: str) -> None:
    assert not neutralise_for_csv(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(UTF8_TEXT | st.text(st.sampled_from("'=+-@\t\ra1")))
def test_the_apostrophe_of_a_csv_cell_comes_off_again(text: str) -> None:
    """The reader takes one apostrophe off where apostrophes stand before a formula's first character.

    A NUL character, which no text file can hold, becomes a replacement character.
    """
    written = neutralise_for_csv(text)
    assert (written[1:] if re.match(r"'+[=+\-@\t\r]", written) else written) == text.replace("\x00", "\ufffd")


def test_unseen_characters_are_shown() -> None:
    assert make_visible("a\x07b\x7f\u200b\u202e\ud800") == "a␇b[U+007F][U+200B][U+202E]�"
    assert make_visible("Zoë\t1\n2 👩‍💻") == "Zoë\t1\n2 👩‍💻"
