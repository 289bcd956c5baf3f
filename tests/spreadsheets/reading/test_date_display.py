"""What a date shows under a format, and its ISO form; None: that depends on the computer or the program."""

from __future__ import annotations

import pytest

from bulkupdate.spreadsheets.reading.number_display import show_number

SECOND = 1 / 86_400


@pytest.mark.parametrize(
    ("code", "days", "text", "iso"),
    [
        # the first and the last day, and 29 February 1900, which only Excel knows
        ("yyyy-mm-dd", 61, "1900-03-01", "1900-03-01"), ("yyyy-mm-dd", 60, None, "1900-02-28"),
        ("yyyy-mm-dd", 59, None, "1900-02-28"), ("dd", 1, None, "1900-01-01"),
        ("hh:mm", 1.5, "12:00", "1900-01-01 12:00:00"), ("hh:mm", 0.25, "06:00", "06:00:00"),
        ("hh:mm", 0, "00:00", "00:00:00"), ("yyyy-mm-dd", 2_958_465, "9999-12-31", "9999-12-31"),
        ("yyyy-mm-dd", 2_958_466, None, "2958466"), ("hh:mm", 2_958_465.999_997, None, "2958465.999997"),
        ("hh:mm", -1, None, "-1"),
        # the parts of a date
        ("d.m.yy", 46_026, "4.1.26", "2026-01-04"), ("dd.mm.yyyy", 46_026, "04.01.2026", "2026-01-04"),
        ("yyyy-mm", 46_026, "2026-01", "2026-01-04"), ("M/YYYY", 46_053, "1/2026", "2026-01-31"),
        ("mmm yyyy", 46_026, None, "2026-01-04"), ("ddd", 46_026, None, "2026-01-04"),
        ("yyy", 46_026, None, "2026-01-04"),
        ("_-yyyy_-", 46_026, "2026", "2026-01-04"), ("yyyy_-mm", 46_026, "2026 01", "2026-01-04"),
        ('yyyy", week"', 46_026, "2026, week", "2026-01-04"), ("[Red]yyyy* ", 46_026, "2026", "2026-01-04"),
        ("yyyy,mm", 46_026, "2026,01", "2026-01-04"), ("yyyy0", 46_026, None, "2026-01-04"),
        ("[<99999]yyyy;0", 46_026, None, "2026-01-04"),
        # minutes stand after hours or before seconds; any other m is a month
        ("hh:mm:ss", 46_026 + 3_723 * SECOND, "01:02:03", "2026-01-04 01:02:03"),
        ("h:m:s", 46_026 + 3_723 * SECOND, "1:2:3", "2026-01-04 01:02:03"),
        ("m:s", 46_026 + 3_723 * SECOND, "2:3", "2026-01-04 01:02:03"),
        ("hh:mm dd.mm.yyyy", 46_026 + 120 * SECOND, "00:02 04.01.2026", "2026-01-04 00:02:00"),
        ("d.m. h-m", 46_026 + 5 * SECOND, "4.1. 0-0", "2026-01-04 00:00:05"), ("m h", 46_026, "1 0", "2026-01-04"),
        ("mm", 0, None, "00:00:00"), ("ss-mm", 46_053, None, "2026-01-31"),
        ("ss dd mm", 46_053, "00 31 01", "2026-01-31"),
        ("h AM/PM", 46_053, None, "2026-01-31"), ("[h]:mm", 46_053, None, "2026-01-31"),
        # between two seconds, programs round or cut off
        ("hh:mm:ss", 0.5 + 0.4 * SECOND, "12:00:00", "12:00:00"), ("hh:mm:ss", 0.5 + 0.6 * SECOND, None, "12:00:01"),
        ("hh:mm", 0.5 + 0.6 * SECOND, "12:00", "12:00:01"), ("hh:mm", 0.5 - 0.4 * SECOND, None, "12:00:00"),
        ("hh:mm:ss", 0.5 - 0.0005 * SECOND, "12:00:00", "12:00:00"),
        ("yyyy-mm-dd", 46_026 - 0.4 * SECOND, None, "2026-01-04"),
        # the slash is the separator of the language, if one is named
        ("[$-409]d/m/yyyy", 46_026, "4/1/2026", "2026-01-04"),
        ("[$-en-US]d/m/yyyy", 46_026, "4/1/2026", "2026-01-04"),
        ("[$x]d/m/yyyy", 46_026, "x4/1/2026", "2026-01-04"), ("[$-de-DE]d/m/yyyy", 46_026, None, "2026-01-04"),
        ("[$-407]d/m/yyyy", 46_026, None, "2026-01-04"), ("[$-de]yyyy", 46_026, None, "2026-01-04"),
        ("[$-1010409]yyyy", 46_026, None, "2026-01-04"), ("local date", 46_026, None, "2026-01-04"),
    ],
)  # fmt: skip
def test_a_date_shows_as_in_excel(code: str, days: float, text: str | None, iso: str) -> None:
    shown = show_number(days, code)
    assert (shown.text, shown.plain, shown.is_date) == (text, iso, True)


def test_days_may_count_from_1904() -> None:
    assert show_number(0, "yyyy-mm-dd", is_1904=True).text == "1904-01-01"
    assert show_number(2_957_003, "yyyy-mm-dd", is_1904=True).text == "9999-12-31"
    assert show_number(2_957_004, "yyyy-mm-dd", is_1904=True).text is None


@pytest.mark.parametrize(
    "language",
    [
        0x405, 0x406, 0x407, 0x408, 0x409, 0x40A, 0x40B, 0x40C, 0x40E, 0x410, 0x413, 0x414, 0x415, 0x416, 0x418, 0x419,
        0x41B, 0x41D, 0x41F, 0x424, 0x807, 0xC09, 0x1009,
    ],
)  # fmt: skip
def test_a_date_of_digits_is_the_same_in_most_of_europe(language: int) -> None:
    assert show_number(46_026, f"[$-{language:X}]d.m.yyyy").text == "4.1.2026"


@pytest.mark.parametrize("language", [0x401, 0x404, 0x40D, 0x411, 0x412, 0x41E, 0x420, 0x429, 0x439, 0x1401])
def test_other_digits_and_calendars_are_never_guessed(language: int) -> None:
    assert show_number(46_026, f"[$-{language:X}]d.m.yyyy").text is None
