"""A frame built in pieces is the one that was added row by row."""

from dataclasses import replace

import numpy as np
import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import frame_builder
from bulkupdate.spreadsheets.reading.frame_builder import MAX_COLUMNS, FrameBuilder, arrow_strings
from bulkupdate.spreadsheets.reading.sheet import ReadOptions

ROWS = [
    ["a", "", "é"], ["", "", ""], [" ", "\u2003", "\t"], [" ", "x", ""], ["é", "", "👩"], ["long" * 9, "b", "c"],
]  # fmt: skip
LIMITS = ReadOptions(None, {}, max_rows=100, max_cells=1000, max_unpacked_bytes=10_000)
KEPT = [0, 3, 4, 5]


def build(rows, **options):
    builder = FrameBuilder(3, replace(LIMITS, **options))
    for number, cells in enumerate(rows, start=10):
        builder.add(number, cells)
    frame, numbers = builder.build()
    return frame.to_numpy().tolist(), numbers.tolist()


@pytest.mark.parametrize("cells", [1, 3, 4, 500_000])
@pytest.mark.parametrize("characters", [1, 3, 40, 64_000_000])
def test_whatever_the_size_of_a_piece_all_rows_but_blank_ones_are_kept(monkeypatch, cells, characters):
    monkeypatch.setattr(frame_builder, "CHUNK_CELLS", cells)
    monkeypatch.setattr(frame_builder, "CHUNK_CHARACTERS", characters)
    assert build(ROWS) == ([ROWS[at] for at in KEPT], [10 + at for at in KEPT])


def test_rows_of_any_white_space_are_blank_and_those_of_similar_characters_are_not():
    blank = [chr(code) for code in range(0x11_0000) if chr(code).isspace()]
    similar = ["\u00a9", "\u1700", "\u2020", "\u3042", "\u200b"]
    rows = [[text, "", ""] for text in (*blank, *similar)]
    assert build(rows, max_cells=1_000)[0] == [[text, "", ""] for text in similar]


def test_no_row_is_an_empty_frame():
    assert build([]) == ([], [])


@pytest.mark.parametrize(
    ("most", "just_enough", "message"),
    [
        ("max_rows", 4, "more than 3 rows"),
        ("max_cells", 12, "more than 11 cells"),
        ("max_unpacked_bytes", 2 * sum(len(text) for row in ROWS for text in row), "bytes of text"),
    ],
)
def test_a_limit_may_be_reached_and_not_exceeded(most, just_enough, message):
    build(ROWS, **{most: just_enough})
    with pytest.raises(InputFileError, match=message) as refused:
        build(ROWS, **{most: just_enough - 1})
    assert f"BULKUPDATE_{most.upper()}" in str(refused.value.remedy)


def test_a_thousand_columns_are_read_and_one_more_is_refused():
    FrameBuilder(MAX_COLUMNS, LIMITS)
    with pytest.raises(InputFileError, match=f"column {MAX_COLUMNS + 1:,}; at most"):
        FrameBuilder(MAX_COLUMNS + 1, LIMITS)


def test_half_a_pair_of_surrogates_becomes_a_question_mark():
    texts = ["é", "", "\ud83d", "ab"]
    lengths = np.array([len(text) for text in texts])
    assert arrow_strings(texts, lengths).to_pylist() == ["é", "", "?", "ab"]
