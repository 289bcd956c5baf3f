"""One cell's text becomes one value, or a finding that says what to do; nothing is guessed."""

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.field_types import UNREADABLE
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, FIELDS, UPDATABLE
from bulkupdate.customers.models import Severity
from bulkupdate.customers.plain_values import is_filled_mask, select_unplain
from bulkupdate.customers.value_types import CUSTOMER_NUMBER, DECIMAL

SIGNED = ("-1", "-3.0", "-5", "_1", "1_", "--2--", "- 5", "5 -", "+1", "1-2", "-Neutral", "Neutral-", "_ 4")
"""A sign is never left out: -1, the "none" of many exports, must not become the worst rating."""

GOOD = [
    ("CustomerId", "163", "163"),
    ("CustomerId", "163.0", "163"),
    ("CustomerId", " 163 ", "163"),
    ("Name", "NA", "NA"),
    ("Name", "null", "null"),
    ("Name", "None", "None"),
    ("Name", "nan", "nan"),
    ("Name", "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    ("Name", "عمر 👩‍👩‍👧", "عمر 👩‍👩‍👧"),
    ("Phone1", "007", "007"),
    ("Phone1", "+49 (0)30 1234-56", "+49 (0)30 1234-56"),
    ("Comments", "two\nlines", "two\nlines"),
    ("Email", "anna@example.com", "anna@example.com"),
    ("Email", "o'neill+shop@sub.example.co.uk", "o'neill+shop@sub.example.co.uk"),
    ("Email", "päivi@müller.example", "päivi@müller.example"),
    ("EmailCC", "a@example.com; b@example.com,c@example.com", "a@example.com; b@example.com,c@example.com"),
    ("CompanyId", "0", 0),
    ("CompanyId", "201.0", 201),
    ("AccountManager1Commission", "12.50", Decimal("12.50")),
    ("AccountManager1Commission", "0.1", Decimal("0.1")),
    ("AccountManager1Commission", "0.00", Decimal("0.00")),
    ("AccountManager1Commission", ".5", Decimal("0.5")),
    ("AccountManager1Commission", "007.5", Decimal("7.5")),
    ("IsWholesale", "TRUE", True),
    ("IsWholesale", "nein", False),
    ("IsWholesale", "0", False),
    ("Rating", "0", 0),
    ("Rating", "Very_Disatisfied", 1),
    ("Rating", "very dissatisfied", 1),
    ("Rating", "DISSATISFIED", 2),
    ("Rating", "very-satisfied", 5),
    ("Rating", "Not Rated", 0),
    ("Rating", "3.0", 3),
    ("Rating", "not - rated", 0),
    ("Rating", "Very__Satisfied", 5),
    ("IsWholesale", "1.0", True),
    ("BusinessAliases", "One; Two|Three;", ("One", "Two", "Three")),
    ("BusinessAliases", "<clear>", ()),
    ("Comments", "<CLEAR>", ""),
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_text_becomes_the_value_a_person_means(name, text, value):
    reading = parse_cell(FIELD_BY_NAME[name], text)
    assert reading.value == value
    assert str(reading.value) == str(value), "a decimal keeps its zeros"
    assert not reading.is_refused


BAD = [
    ("CustomerId", "0", "customer-id"),
    ("CustomerId", "-5", "customer-id"),
    ("CustomerId", "163.5", "customer-id"),
    ("CustomerId", "1_000", "customer-id"),
    ("CustomerId", "١٦٣", "customer-id"),
    ("CustomerId", "1.63E+05", "scientific"),
    ("CustomerId", "../163", "customer-id"),
    ("Phone1", "4.93012E+11", "scientific"),
    ("Email", "anna.example.com", "email"),
    ("Email", "anna@example", "email"),
    ("Email", "anna@@example.com", "email"),
    ("Email", "an\u200bna@example.com", "email"),
    ("Email", "anna @example.com", "email"),
    ("Email", "a@example.com; b@example.com", "email"),
    ("Email", "anna@example..com", "email"),
    ("EmailCC", "a@example.com; broken", "email"),
    ("EmailCC", ";", "email"),
    ("CompanyId", "1,000", "thousands-separator"),
    ("CompanyId", "1.5", "whole-number"),
    ("CompanyId", "-1", "negative"),
    ("CompanyId", "١٦٣", "whole-number"),
    ("AccountManager1Commission", "NaN", "decimal"),
    ("AccountManager1Commission", "Infinity", "decimal"),
    ("AccountManager1Commission", "1e3", "decimal"),
    ("AccountManager1Commission", "-0.5", "negative"),
    ("AccountManager1Commission", "5%", "percent"),
    ("AccountManager1Commission", "2,5", "decimal-mark"),
    ("AccountManager1Commission", "1,234.50", "thousands-separator"),
    ("AccountManager1Commission", "1,234", "thousands-separator"),
    ("IsWholesale", "perhaps", "yes-or-no"),
    ("IsWholesale", "2", "yes-or-no"),
    ("Rating", "6", "rating"),
    ("Rating", "Great", "rating"),
    ("BusinessAliases", " ; | ", "aliases"),
    ("Name", "#N/A", "error-cell"),
    ("Name", "#REF!", "error-cell"),
    *(("Rating", text, "rating") for text in SIGNED),
    *(("IsWholesale", text, "yes-or-no") for text in ("-1", "-0", "_1", "1-", "-1.0", "-yes", "n-o")),
    *(("CustomerId", text, "customer-id") for text in ("-163", "_163", "16-3", "163-", "+163", "- 163")),
    *(("CompanyId", text, "whole-number") for text in ("_1", "1_0", "+1", "- 1", "1-", "--1")),
    *(("AccountManager1Commission", text, "decimal") for text in ("_1", "1_0", "+1", "- 1", "1-", "--1")),
    *(("BusinessAliases", text, "clear-and-more") for text in ("a;<clear>", "<CLEAR>|a", "a <clear>")),
    *(("Comments", text, "clear-and-more") for text in ("<clear>x", "x<Clear>", "a <clear> b", "<clear><clear>")),
    ("Rating", "<clear>", "clear-refused"),
    ("CustomerId", "<clear>", "clear-refused"),
    ("CompanyId", "<clear>", "clear-refused"),
    *(("Name", f"half {half}", "broken-character") for half in ("\ud800", "\ud83d", "\udfff")),
    *((name, "1\x002", "control-character") for name in ("CustomerId", "Name", "Comments", "Email", "CompanyId")),
    ("Comments", "Long… [shortened: 40,000 characters]", "shortened"),
    *((name, "1 [bulkupdate: was wrong]", "not-corrected") for name in ("CustomerId", "Name", "Rating")),
]


@pytest.mark.parametrize(("name", "text", "code"), BAD)
def test_bad_text_is_refused_with_a_remedy(name, text, code):
    reading = parse_cell(FIELD_BY_NAME[name], text)
    assert reading.is_refused
    assert reading.value is None
    assert [finding.code for finding in reading.findings] == [code]
    assert reading.findings[0].remedy.endswith(".")


def test_hash_na_names_the_way_to_clear_a_field():
    """People who know Salesforce type #N/A to empty a field."""
    assert "<clear>" in parse_cell(FIELD_BY_NAME["Comments"], "#N/A").findings[0].remedy


DOUBTFUL = [
    ("Name", "Anna ", "Anna", "trimmed"),
    ("Name", "Anna\u00a0Maria", "Anna\u00a0Maria", "unseen-character"),
    ("Name", "Anna\u200bMaria", "Anna\u200bMaria", "unseen-character"),
    ("Comments", "bell\x07", "bell\x07", "control-character"),
    ("Comments", "M\ufffdller", "M\ufffdller", "lost-character"),
    ("Comments", "x" * 32_768, "x" * 32_768, "long-text"),
    ("Phone1", "none", "none", "phone"),
    ("CustomerId", "00163", "163", "leading-zeros"),
    ("CompanyId", "007", 7, "leading-zeros"),
    ("Name", " \u00a0 ", None, "only-blanks"),
    ("Name", "\u200b", None, "only-blanks"),
    ("Name", "\ufeffAnna", "\ufeffAnna", "unseen-character"),
    ("CustomerId", "163\u200b", "163", "unseen-character"),
    ("Name", "\u200bAnna", "\u200bAnna", "unseen-character"),
    ("BusinessAliases", "One;Two\u200b", ("One", "Two\u200b"), "unseen-character"),
    ("Phone1", "\u200b007", "007", "trimmed"),
    ("Email", "anna@example.com\ufeff", "anna@example.com", "trimmed"),
    *(("Name", f"{space}Anna", "Anna", "trimmed") for space in "\t\n\u00a0\u2000\u200a\u202f\u3000"),
]


@pytest.mark.parametrize(("name", "text", "value", "code"), DOUBTFUL)
def test_doubtful_text_is_a_warning_and_goes_through(name, text, value, code):
    reading = parse_cell(FIELD_BY_NAME[name], text)
    assert reading.value == value
    assert [(finding.code, finding.severity) for finding in reading.findings] == [(code, Severity.WARNING)]
    assert reading.findings[0].message
    assert reading.findings[0].remedy.endswith(".")


def test_a_text_that_an_excel_cell_can_just_hold_is_not_doubtful():
    assert parse_cell(FIELD_BY_NAME["Comments"], "x" * 32_767).findings == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "AccountManager1Commission",
            "5 %",
            "5 % is a percentage; whether 5 or a hundredth of it is meant is not certain",
        ),
        (
            "AccountManager1Commission",
            "12%",
            "12% is a percentage; whether 12 or a hundredth of it is meant is not certain",
        ),
        ("CompanyId", "007", "the zeros before 7 are left out"),
        ("Comments", "x" * 32_768, "the text has 32,768 characters, more than an Excel cell can hold"),
        ("Comments", "bell\x07", "the text holds an invisible control character"),
        ("Name", "A [bulkupdate: was wrong]", "the cell was refused before and is not corrected yet: was wrong"),
    ],
)
def test_a_finding_says_what_was_found(name, text, message):
    (finding,) = parse_cell(FIELD_BY_NAME[name], text).findings
    assert finding.message == message


def test_blank_is_no_value_and_no_finding():
    for field in FIELDS:
        assert parse_cell(field, "").value is None
        assert parse_cell(field, "").findings == ()


def test_decimal_comma_is_taken_only_where_it_was_announced():
    commission = FIELD_BY_NAME["AccountManager1Commission"]
    assert parse_cell(commission, "2,50", ",").value == Decimal("2.50")
    assert parse_cell(commission, "2.5", ",").value == Decimal("2.5"), "workbooks give their numbers with a point"
    assert parse_cell(commission, "1.250", ",").findings[0].code == "thousands-separator"
    assert "--decimal ," in parse_cell(commission, "2,5").findings[0].remedy


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet=" \t\u00a0\u200b\ufeff\x1c\x85\u3000a1.,;|@<#]-+", max_size=12),
    st.from_regex(r"[a-z0-9.+-]{1,8}@[a-z0-9.-]{1,10}", fullmatch=True),
    st.from_regex(r"[0-9.,-]{1,20}", fullmatch=True),
    st.sampled_from([text for _, text, _ in GOOD + BAD if text.isprintable()]),
)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, field=st.sampled_from(FIELDS), mark=st.sampled_from([".", ","]))
def test_plain_texts_are_never_refused_nor_changed(text, field, mark):
    """The fast lane for whole columns admits no text that the reader of single cells would look at twice."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return  # cannot be in a column
    texts = pd.Series([text], dtype="str")
    reading = parse_cell(field, text, mark)
    if text and select_unplain(field, mark, texts).empty:
        assert reading.findings == ()
        assert reading.value is not None
        if field.type.is_text or field.type is CUSTOMER_NUMBER:
            assert reading.value == text
    if field in UPDATABLE and not reading.is_refused:
        assert is_filled_mask(texts)[0] == (reading.value is not None)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, field=st.sampled_from(FIELDS))
def test_any_text_ends_in_a_value_a_finding_or_blank(text, field):
    reading = parse_cell(field, text)
    assert reading.value is not None or reading.findings or not text
    assert not (reading.is_refused and reading.value is not None)


FORMS = {str: "x", int: 1, Decimal: Decimal("1.5"), bool: True, list: ["x"]}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_what_a_type_sends_is_what_the_service_takes(field):
    parsed = parse_cell(field, field.example).value
    sent = list(parsed) if isinstance(parsed, tuple) else field.type.to_json(parsed, "name")
    assert field.type.accepts_json(int(sent) if field is CUSTOMER_ID else sent)
    accepted = {form for form, value in FORMS.items() if field.type.accepts_json(value)}
    assert accepted in ({str}, {int}, {int, Decimal}, {bool}, {list}, {str, int})


def test_of_two_addresses_the_second_is_for_another_column():
    (finding,) = parse_cell(FIELD_BY_NAME["Email"], "a@example.com; b@example.com").findings
    assert finding.message.endswith("is more than one e-mail address")
    assert finding.remedy == "Keep one; put the others in EmailCC."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("anna", "it has no @"), ("an na@example.com", "it contains a space"), ("a@b@example.com", "more than one @"),
        ("anna@example", "it has no dot after the @"), ("@example.com", "“@example.com” is not an e-mail address"),
    ],
)  # fmt: skip
def test_an_address_is_refused_with_its_reason(text, reason):
    (finding,) = parse_cell(FIELD_BY_NAME["Email"], text).findings
    assert finding.message.endswith(reason)


@pytest.mark.parametrize("name", ["Email", "EmailCC"])
def test_the_longest_address_has_254_characters(name):
    """Also in the fast lane for whole columns."""
    field = FIELD_BY_NAME[name]
    longest, too_long = (f"{'a' * length}@example.com" for length in (242, 243))
    assert parse_cell(field, longest).value == longest
    (finding,) = parse_cell(field, too_long).findings
    assert finding.message.endswith("it has more than 254 characters")
    (other,) = parse_cell(field, f"{'a' * 242}@example.co.").findings
    assert other.message.endswith("is not an e-mail address"), "254 characters, with another fault"
    assert select_unplain(field, ".", pd.Series([too_long], dtype="str")).tolist() == [too_long]


def test_a_file_value_that_is_no_number_is_unreadable():
    assert DECIMAL.from_json("2.50") == Decimal("2.50")
    assert DECIMAL.from_json(None) is None
    assert [DECIMAL.from_json(value) for value in ("x", "NaN", "Infinity")] == [UNREADABLE] * 3


def test_aliases_of_the_service_are_a_list_whatever_it_answers():
    aliases = FIELD_BY_NAME["BusinessAliases"].type
    assert [aliases.from_json(value) for value in (None, "A", ["A", "B"])] == [(), ("A",), ("A", "B")]


@pytest.mark.parametrize(("value", "shown"), [("0.0000001", "0.0000001"), ("2.50", "2.50"), ("1E+3", "1000")])
def test_a_decimal_is_shown_without_an_exponent(value, shown):
    assert DECIMAL.format(Decimal(value)) == shown
