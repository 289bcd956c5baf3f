"""Which customer each row is about: exactly one outcome for every row."""

from __future__ import annotations

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.runs.matching.key import Key, find_key
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
    assert problem.message.endswith("; and 2 more")


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
