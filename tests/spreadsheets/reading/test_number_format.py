"""What the codes of number formats mean: those that files give only by number, and the parts of a code."""

from __future__ import annotations

import pytest

from bulkupdate.spreadsheets.reading.number_display import DisplayedNumber, show_number, show_text
from bulkupdate.spreadsheets.reading.number_format import code_of, shows_texts_as_is


@pytest.mark.parametrize(
    ("number", "seen", "seen_negative"),
    [
        (0, "1234.5", "-1234.5"), (1, "1235", "-1235"), (2, "1234.50", "-1234.50"), (3, "1,235", "-1,235"),
        (4, "1,234.50", "-1,234.50"), (5, "$1,235", "($1,235)"), (6, "$1,235", "($1,235)"),
        (7, "$1,234.50", "($1,234.50)"), (8, "$1,234.50", "($1,234.50)"), (9, "123450%", "-123450%"),
        (10, "123450.00%", "-123450.00%"), (11, None, None), (12, None, None), (13, None, None),
        (23, "1234.5", "-1234.5"),
        (37, "1,235", "(1,235)"), (38, "1,235", "(1,235)"), (39, "1,234.50", "(1,234.50)"),
        (40, "1,234.50", "(1,234.50)"), (41, "1,235", "(1,235)"), (42, "$1,235", "$(1,235)"),
        (43, "1,234.50", "(1,234.50)"), (44, "$1,234.50", "$(1,234.50)"), (48, None, None), (49, "1234.5", "-1234.5"),
        (58, None, None), (59, None, None), (81, None, None), (82, "1234.5", "-1234.5"), (163, "1234.5", "-1234.5"),
    ],
)  # fmt: skip
def test_a_format_that_is_given_by_number_is_that_of_english_excel(
    number: int, seen: str | None, seen_negative: str | None
) -> None:
    assert [show_number(value, code_of(number, {})).text for value in (1234.5, -1234.5)] == [seen, seen_negative]


@pytest.mark.parametrize("number", [*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)])
def test_the_date_formats_of_the_computer_are_not_known(number: int) -> None:
    shown = show_number(46_026, code_of(number, {}))
    assert (shown.text, shown.plain, shown.is_date) == (None, "2026-01-04", True)


@pytest.mark.parametrize("number", [*range(59, 82)])
def test_the_number_formats_of_some_languages_are_not_known(number: int) -> None:
    assert show_number(5, code_of(number, {})) == DisplayedNumber(None, "5")


def test_a_format_that_the_file_defines_counts_for_more_than_its_number() -> None:
    assert [code_of(number, {2: "000", 14: "yyyy", 60: "0%"}) for number in (2, 14, 60)] == ["000", "yyyy", "0%"]


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        # at most four sections and 255 characters
        ("0;0;0;@", 5, "5"), ("0;0;0;@;", 5, None), (f'"{"x" * 252}"0', 5, f"{'x' * 252}5"),
        (f'"{"x" * 253}"0', 5, None),
        # positive, negative, zero
        ('0;"minus "0;"none"', -5, "minus 5"), ('0;"minus "0;"none"', 0, "none"), ('0;"minus "0', 0, "0"),
        ("0;@", -5, "-5"),
        # the language of a currency, by number or name
        ("[$€-407]0.00", 12.5, "€12.50"), ("[$€-de-DE]0.00", 12.5, "€12.50"), ("[$-en-US]0.00", 12.5, "12.50"),
        ("[$CHF]0.00", 12.5, "CHF12.50"), ("[$-F800]0", 5, None), ("[$-F400]0", 5, None), ("[$-f400]0", 5, None),
        ("[$-x-sysdate]0", 5, None), ("[$-]0", 5, None), ("[DBNum1]0", 5, None),
        # colours, and characters that are shown as they are
        ("[Color 12]0", 5, "5"), ("[color3]0", 5, "5"), ("[Puce]0", 5, None), ("0\\d", 5, "5d"), ("0 ü", 5, "5 ü"),
        ("0 x", 5, None), ("0e", 5, None), ("+0-(0)&'~{0}:^=<>", 123, "+1-(2)&'~{3}:^=<>"), ("0* ", 5, "5"),
        # conditions
        ("[<5]0.0;[=5]0.00;0", 4, "4.0"), ("[<5]0.0;[=5]0.00;0", 5, "5.00"), ("[<5]0.0;[=5]0.00;0", 6, "6"),
        ("[<=5]0.0;0", 5, "5.0"), ("[<=5]0.0;0", 6, "6"), ("[>5]0.0;0", 5, "5"), ("[>5]0.0;0", 6, "6.0"),
        ("[>=5]0.0;0", 5, "5.0"), ("[>=5]0.0;0", 4, "4"), ("[<>5]0.0;0", 5, "5"), ("[<>5]0.0;0", 4, "4.0"),
        ("[>-2.5]0.0;0", 0, "0.0"), ("[<5]0.0;0", -1, None), ("[<5]0.0;[>7]0", 6, None), ("[<5]0.0;0.00;0", 6, None),
        ("[<5][>2]0.0;0", 3, None), ("[<5]0.0;0", 0, "0.0"),
        # General with something beside it, up to 11 characters
        ('"No. "General', 12345678901, "No. 12345678901"), ('"No. "General', 123456789012, None), ("General0", 5, None),
        ("General.", 5, None), ("General,", 5, None), ("General%", 5, None), ('General" x"', -5, "-5 x"),
        ("General;General", -5, "5"), (" General", 5, "5"), (" General", -5, None), ("GENERAL", 0.5, "0.5"),
        ("", 0.5, "0.5"),
        # the same for every number
        ('"x"', -5, None), (";;", -5, ""), ("", -5, "-5"), (".", 5, None), (",", 5, None), ('0;" "', -5, ""),
        ("%", 5, "%"),
        ("0/0", 5, None), ("0E+0", 5, None), ("@", 5, "5"), ("0@", 5, None), ("0*x", 5, None),
    ],
)  # fmt: skip
def test_a_number_shows_what_each_part_of_its_code_says(code: str, number: float, shown: str | None) -> None:
    assert show_number(number, code).text == shown


@pytest.mark.parametrize(
    ("text", "plain", "is_money"),
    [
        ("$1,234.50", "1234.50", True), ("(1.234,50 EUR)", "1.23450", True), (".50", "0.50", True),
        ("-.50", "-0.50", True),
        ("163.", "163", True), ("(5)", "-5", True), ("-", "0", True), ("-", "5", False), ("ID-5", "5", False),
        ("5%", "0.05", False), (None, "5", False), ("zł 5", "5", True), ("5 Kč", "5", True), ("- €", "0.00", True),
    ],
)  # fmt: skip
def test_money_is_a_number_with_only_currency_and_separators(text: str | None, plain: str, is_money: bool) -> None:
    assert DisplayedNumber(text, plain).is_money is is_money


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        (5, "0", DisplayedNumber("5", "5")), (5.5, "0", DisplayedNumber("6", "6", is_rounded=True)),
        (-1234.5, "#,##0.00", DisplayedNumber("-1,234.50", "-1234.50")), (0.05, "0%", DisplayedNumber("5%", "0.05")),
        (5000, "0,", DisplayedNumber("5", "5000", is_rounded=True)), (0, "0,", DisplayedNumber("0", "0")),
        (1234.5, "0.00E+00", DisplayedNumber(None, "1234.5", is_scientific=True)),
        (5, '"x"', DisplayedNumber("x", "5", is_rounded=True)),
        (1e-7, "0.0", DisplayedNumber("0.0", "0.0", is_rounded=True)),
        (1e20, "General", DisplayedNumber("1" + "0" * 20, "1" + "0" * 20)),
        (0.1 + 0.2, "General", DisplayedNumber("0.3", "0.3")),
        (1 / 3, "General", DisplayedNumber(*["0.333333333333333"] * 2)),
    ],
)  # fmt: skip
def test_what_a_display_hides_is_known(number: float, code: str, expected: DisplayedNumber) -> None:
    assert show_number(number, code) == expected


@pytest.mark.parametrize(
    ("code", "shown", "is_as_is"),
    [
        ("General", "Ann", True), ("@", "Ann", True), ("0", "Ann", True), ("[Red]@", "Ann", True),
        ("_-@_-", "Ann", True),
        ("@* ", "Ann", True), ("@*x", None, False), ('"Dr. "@', "Dr. Ann", False), ("0;0;0;[Red]", None, False),
        ("0;0;0", "Ann", True), ("@@", "AnnAnn", False), ("@0", None, False), ('0;"x"@', "xAnn", False),
    ],
)  # fmt: skip
def test_a_text_shows_what_the_section_for_texts_says(code: str, shown: str | None, is_as_is: bool) -> None:
    assert (show_text("Ann", code), shows_texts_as_is(code)) == (shown, is_as_is)
    assert show_text("", code) == ""
