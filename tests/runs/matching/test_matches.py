"""Which customer each row is about: exactly one outcome for every row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.headings import recognize_headings
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.runs.matching.key import Key, find_key, list_arguments
from bulkupdate.runs.matching.matches import Candidate, KeyedRow, Outcome, describe_match, match_rows, needed_keys

ANNA, BERT, CARL = Candidate("1", "Anna", "Anna Ltd", "a@x.com"), Candidate("2", "Bert"), Candidate("3")
FOUND = {"a@x.com": [ANNA], "shared@x.com": [BERT, CARL]}


def outcomes(*rows: KeyedRow) -> list[tuple[Outcome, str]]:
    return [(match.outcome, match.customer_id) for match in match_rows(rows, FOUND)]


def test_a_key_of_one_customer_is_a_match() -> None:
    assert outcomes(KeyedRow(2, "a@x.com")) == [(Outcome.MATCHED, "1")]


def test_a_key_of_none_or_of_several_customers_is_none() -> None:
    rows = KeyedRow(2, "no@x.com"), KeyedRow(3, ""), KeyedRow(4, "shared@x.com")
    assert outcomes(*rows) == [(Outcome.NO_MATCH, ""), (Outcome.NO_MATCH, ""), (Outcome.AMBIGUOUS, "")]


def test_an_id_in_the_sheet_wins_and_settles_an_ambiguous_key() -> None:
    rows = KeyedRow(2, "shared@x.com", "3"), KeyedRow(3, "no@x.com", "9"), KeyedRow(4, "", "8")
    assert outcomes(*rows) == [(Outcome.GIVEN, "3"), (Outcome.GIVEN, "9"), (Outcome.GIVEN, "8")]
    assert needed_keys(rows) == []


def test_an_id_whose_key_is_that_of_another_customer_is_a_conflict() -> None:
    assert outcomes(KeyedRow(2, "a@x.com", "7")) == [(Outcome.CONFLICT, "7")]


def test_if_ids_are_checked_their_key_must_be_that_customers() -> None:
    rows = [
        KeyedRow(2, "no@x.com", "9"),
        KeyedRow(3, "shared@x.com", "2"),
        KeyedRow(4, "", "8"),
        KeyedRow(5, "a@x.com"),
    ]
    checked = match_rows(rows, FOUND, check_ids=True)
    assert [match.outcome for match in checked] == [
        Outcome.CONFLICT, Outcome.GIVEN, Outcome.GIVEN, Outcome.MATCHED
    ]  # fmt: skip
    assert needed_keys([*rows, rows[0]], check_ids=True) == ["no@x.com", "shared@x.com", "a@x.com"]
    assert needed_keys(rows) == ["a@x.com"]


def test_three_rows_that_find_one_customer_name_another_of_them() -> None:
    matches = match_rows([KeyedRow(2, "", "1"), KeyedRow(3, "a@x.com"), KeyedRow(4, "a@x.com")], FOUND)
    assert [(match.customer_id, match.other_row) for match in matches] == [("1", None), ("1", 2), ("1", 2)]


@pytest.mark.parametrize(
    ("row", "code", "message", "remedy"),
    [
        (KeyedRow(2, "no@x.com"), "no-match", "no customer has the E-Mail “no@x.com”",
         "Correct the E-Mail, or fill in Id."),
        (KeyedRow(2, ""), "no-match", "the row has no valid E-Mail and no id", "Correct the E-Mail, or fill in Id."),
        (KeyedRow(2, "shared@x.com"), "ambiguous-match", "2 customers have the E-Mail “shared@x.com”: 2 (Bert); 3",
         "Fill in Id with the id of the one that is meant."),
        (KeyedRow(2, "shared@x.com", "7"), "key-conflict",
         "the id is 7, but the E-Mail “shared@x.com” is that of 2, 3", "Correct Id or E-Mail."),
        (KeyedRow(2, "no@x.com", "7"), "key-conflict", "the id is 7, but the E-Mail “no@x.com” is that of none",
         "Correct Id or E-Mail."),
    ],
)  # fmt: skip
def test_a_row_without_a_certain_customer_says_why(row: KeyedRow, code: str, message: str, remedy: str) -> None:
    [match] = match_rows([row], FOUND, check_ids=True)
    problem = describe_match(match, "E-Mail", "Id")
    assert problem is not None
    assert (problem.row, problem.column, problem.value, problem.customer_id) == (
        2,
        "Id",
        row.customer_id,
        row.customer_id,
    )
    assert (problem.code, problem.message, problem.remedy) == (code, message, remedy)


def test_two_rows_of_one_customer_name_each_other() -> None:
    first, second = match_rows([KeyedRow(2, "a@x.com"), KeyedRow(7, "a@x.com")], FOUND)
    problems = [describe_match(match, "E-Mail", "Id") for match in (first, second)]
    assert [problem.message for problem in problems if problem] == [
        "its E-Mail is that of customer 1, which is in row 7 too",
        "its E-Mail is that of customer 1, which is in row 2 too",
    ]


@pytest.mark.parametrize(
    ("candidate", "shown"),
    [
        (Candidate("1", "Anna", "Ltd", "a@x.com"), "1 (Anna, Ltd, a@x.com)"), (Candidate("1", "", "Ltd"), "1 (Ltd)"),
        (Candidate("1", "Anna", "", "a@x.com"), "1 (Anna, a@x.com)"), (Candidate("1", "", "", "a@x.com"), "1"),
    ],
)  # fmt: skip
def test_a_candidate_is_shown_by_its_names(candidate: Candidate, shown: str) -> None:
    assert candidate.describe() == shown


def test_two_rows_that_find_one_customer_are_both_held() -> None:
    rows = KeyedRow(2, "a@x.com"), KeyedRow(3, "a@x.com"), KeyedRow(5, "", "1")
    matches = match_rows(rows, FOUND)
    assert [match.outcome for match in matches] == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.GIVEN]
    assert [match.other_row for match in matches] == [3, 2, None]


def test_a_user_settles_an_ambiguous_row_with_one_of_its_candidates() -> None:
    rows = [KeyedRow(2, "shared@x.com"), KeyedRow(3, "shared@x.com"), KeyedRow(4, "a@x.com")]
    settled = match_rows(rows, FOUND, {2: "3", 3: "1", 4: "3"})  # Anna is no candidate of row 3, Carl none of row 4
    assert [(match.outcome, match.customer_id) for match in settled] == [
        (Outcome.MATCHED, "3"), (Outcome.AMBIGUOUS, ""), (Outcome.MATCHED, "1")
    ]  # fmt: skip
    twice = match_rows(rows, FOUND, {2: "3", 3: "3"})
    assert [match.outcome for match in twice] == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.MATCHED]


def test_the_problem_of_an_ambiguous_row_names_three_candidates() -> None:
    many = [Candidate(str(number), f"Name {number}", "", "s@x.com") for number in range(1, 6)]
    [match] = match_rows([KeyedRow(2, "s@x.com")], {"s@x.com": many})
    problem = describe_match(match, "Email", "CustomerId")
    assert problem is not None
    assert (problem.code, problem.column) == ("ambiguous-match", "CustomerId")
    assert "5 customers have the Email “s@x.com”: 1 (Name 1, s@x.com); 2 (" in problem.message
    assert problem.message.endswith("; 3 (Name 3, s@x.com); and 2 more")
    [three] = match_rows([KeyedRow(2, "s@x.com")], {"s@x.com": many[:3]})
    problem = describe_match(three, "Email", "CustomerId")
    assert problem is not None
    assert problem.message.endswith("; 3 (Name 3, s@x.com)")
    [conflict] = match_rows([KeyedRow(2, "s@x.com", "9")], {"s@x.com": many})
    problem = describe_match(conflict, "Email", "CustomerId")
    assert problem is not None
    assert problem.message.endswith("is that of 1, 2, 3")


def test_keys_are_compared_without_blanks_and_emails_without_case_and_nothing_else() -> None:
    email, own = Key("Email", FIELD_BY_NAME["Email"]), Key("Kundennr", None)
    assert email.normalise(" Anna@X.Com\u00a0") == "anna@x.com"
    assert email.normalise("a.nna+tag@x.com") != email.normalise("anna@x.com")
    assert email.normalise("ÄÉ@x.com") == "äé@x.com"
    kelvin, dotted = "\u212a", "\u0130"
    assert email.normalise(f"{kelvin}im{dotted}@x.com") == f"{kelvin}im{dotted}@x.com", "letters of their own"
    assert own.normalise(" A-7 ") == "A-7"
    assert own.normalise("a-7") != own.normalise("A-7")


def test_a_key_is_a_field_by_name_or_alias_or_any_heading() -> None:
    assert find_key("e-mail", {}).field is FIELD_BY_NAME["Email"]
    assert find_key("Mail", {"Mail": "Email"}).field is FIELD_BY_NAME["Email"]
    assert find_key("Kundennr", {}).field is None
    assert find_key(" Kundennr ", {}).name == "Kundennr"
    with pytest.raises(UsageError, match=r"--key 'Customer ID' is the customer id\.") as caught:
        find_key("Customer ID", {})
    assert caught.value.remedy == "Omit --key: ids need no key."


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("Email", "a" * 318 + "@x", None),
        ("Email", "a" * 319 + "@x", "the text has 321 characters, more than an e-mail address can have"),
        ("Kundennr", "a" * 400, None),
        ("Kundennr", "#7", None),
        ("Kundennr", "#N/A", "#N/A"),
        ("Email", "a@x.com [bulkupdate:\u00a0no customer]", "a@x.com"),
    ],
)
def test_what_can_be_no_value_can_be_no_key(key: str, text: str, message: str | None) -> None:
    found = find_key(key, {}).find_error(text)
    assert (found is None) == (message is None)
    if found is not None and message is not None:
        assert found.remedy == f"Correct the {key}."
        assert found.code != "email" or found.message == message


@pytest.mark.parametrize(
    ("headings", "column"),
    [(["Kundennr", "Name"], 0), (["Name", " KUNDEN-NR "], 1), (["Kundennr", "kundennr"], None), (["Name"], None)],
)
def test_the_column_of_a_key_is_found_once(headings: list[str], column: int | None) -> None:
    header = recognize_headings(headings)
    if column is not None:
        assert find_key("Kundennr", {}).find_column(header, "a.csv") == column
        return
    with pytest.raises(InputFileError, match=r"a\.csv.*Kundennr"):
        find_key("Kundennr", {}).find_column(header, "a.csv")


def test_a_column_that_our_results_add_is_no_key() -> None:
    header = recognize_headings(["Name", "Status"])
    with pytest.raises(InputFileError, match="has no column"):
        find_key("Status", {}).find_column(replace(header, added=frozenset({1})), "a.csv")


@pytest.mark.parametrize(
    ("name", "own", "is_id"),
    [
        ("Email", {"Mail": "Email", "Notiz": "ignore"}, {"Email", "E-Mail", "Mail"}),
        ("Kundennr", {"Mail": "Email"}, {"Kundennr"}),
    ],
)
def test_a_sheet_is_read_as_if_its_key_were_its_id(name: str, own: dict[str, str], is_id: set[str]) -> None:
    as_id = find_key(name, own).map_to_id(own)
    mapped = {heading for heading in ("Email", "E-Mail", "Mail", "Kundennr") if as_id.get(heading) == "CustomerId"}
    assert mapped == is_id & set(as_id)
    assert {name} <= mapped
    assert all(as_id[heading] == own[heading] for heading in own if heading not in is_id)


@pytest.mark.parametrize(
    ("key", "lookup", "arguments"),
    [
        (None, None, ()), ("", "list.csv", ()), ("Email", None, ("--key", "Email")),
        ("Nr", "list.csv", ("--key", "Nr", "--lookup", "list.csv")),
    ],
)  # fmt: skip
def test_the_options_of_a_key(key: str | None, lookup: str | None, arguments: tuple[str, ...]) -> None:
    assert list_arguments(key, lookup) == arguments
