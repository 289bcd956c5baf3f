"""The documented API over real HTTP: sign-in, update, reading, and one test a switch."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from bulkupdate.customers.fields import CUSTOMER_ID, UPDATABLE
from bulkupdate.customers.value_types import RATINGS
from bulkupdate.errors import UsageError
from bulkupdate.runs.tenant.facts import FACTS
from bulkupdate.sandbox.payloads import TEST_CARD_NUMBER, TEST_CVV
from bulkupdate.sandbox.responses import parse_json
from bulkupdate.sandbox.switches import SandboxOptions, SwitchGroup
from tests.sandbox.caller import FIRST, TurnedClock, call_sandbox

EVERY_FIELD = (
    '{"Title": "Dr.", "Name": "Zoë  van \\"Dyk\\"", "Email": "z@example.com", "EmailCC": "a@example.com; b@x.org",'
    ' "BusinessName": "=1+1", "BusinessAliases": ["A;B", "渡邉"], "SourceId": "007", "IsWholesale": false,'
    ' "CompanyId": 0, "AccountManager1Id": 5012, "AccountManager1Commission": 12.50, "AccountManager2Id": 1,'
    ' "AccountManager2Commission": 0.1, "AccountManager3Id": 2, "AccountManager3Commission": 3, "Salesman": "S",'
    ' "Comments": "two\\nlines", "Rating": "Very_Satisfied", "Phone1": "0049 30", "Phone2": "+1",'
    ' "Phone3": "5550001234",'
    ' "Mobile": "m", "Fax": "f"}'
)


def test_sign_in_answers_as_documented() -> None:
    with call_sandbox(clock=TurnedClock(), token_seconds=1800) as caller:
        body = caller.sign_in().json()
    assert body.pop("access_token")
    assert body == {
        "token_type": "Bearer", "username": "sandbox", "expires_in": 1800,
        ".issued": "Tue, 14 Nov 2023 22:13:20 GMT", ".expires": "Tue, 14 Nov 2023 22:43:20 GMT",
    }  # fmt: skip


@pytest.mark.parametrize("status", [400, 401])
def test_wrong_login_is_refused_with_a_message_and_the_status_set(status: int) -> None:
    with call_sandbox(sign_in_refusal_status=status) as caller:
        answer = caller.sign_in("wrong")
        assert (answer.status_code, "incorrect" in answer.json()["Message"]) == (status, True)
        assert caller.session.post(f"{caller.sandbox.base_url}/token", data="{", timeout=5).status_code == status


def test_no_or_an_unknown_or_a_run_out_token_is_401_with_a_message() -> None:
    clock = TurnedClock()
    with call_sandbox(clock=clock, token_seconds=60) as caller:
        assert caller.get().status_code == 200
        clock.time += 60
        assert (caller.get().status_code, caller.put({}).status_code) == (401, 401)
        assert caller.put({"Name": "x"}).json()["Message"]
        caller.session.headers["Authorization"] = "Bearer made-up"
        assert caller.get().status_code == 401
        del caller.session.headers["Authorization"]
        assert caller.get().status_code == 401
        assert caller.sandbox.changes() == {}


def test_every_field_is_stored_as_sent_and_read_back_from_its_documented_place() -> None:
    """Decimals digit by digit, zeros and signs of phones, text in any script."""
    with call_sandbox() as caller:
        assert caller.put_text(EVERY_FIELD.encode()).status_code == 200
        raw = caller.get().content
        stored = caller.sandbox.customer(FIRST)
    sent, nested = parse_json(EVERY_FIELD.encode()), parse_json(raw)
    assert isinstance(sent, dict)
    assert isinstance(nested, dict)
    sent["Rating"] = RATINGS.index("Very_Satisfied")
    assert stored == sent
    assert {field.name: nested[field.group][field.get_name] for field in UPDATABLE} == sent
    assert nested[CUSTOMER_ID.group][CUSTOMER_ID.get_name] == FIRST
    assert b"12.50" in raw
    assert stored["AccountManager1Commission"] == Decimal("12.50")


def test_null_and_absent_fields_are_no_change_and_unknown_ones_ignored() -> None:
    with call_sandbox() as caller:
        before = caller.sandbox.customer(FIRST)
        assert before is not None
        assert caller.put({"Name": None, "Rating": None, "Nickname": 5, "CustomerId": 7, "Fax": "1"}).status_code == 200
        assert caller.sandbox.customer(FIRST) == {**before, "Fax": "1"}


@pytest.mark.parametrize(
    "body",
    [
        '{"Name": 5}', '{"CompanyId": "5"}', '{"CompanyId": 5.0}', '{"CompanyId": true}', '{"IsWholesale": 1}',
        '{"IsWholesale": "true"}', '{"AccountManager1Commission": "2.5"}', '{"AccountManager1Commission": NaN}',
        '{"BusinessAliases": "A"}', '{"BusinessAliases": [1]}', '{"Rating": "Very dissatisfied"}', '{"Rating": 6}',
        '{"Rating": true}', '{"Name": "x"', "[]", "", "\xff",
    ],
)  # fmt: skip
def test_wrong_types_and_malformed_json_are_400_with_a_message_and_change_nothing(body: str) -> None:
    with call_sandbox() as caller:
        answer = caller.put_text(body.encode("latin-1"))
        assert (answer.status_code, bool(answer.json()["Message"])) == (400, True)
        assert caller.sandbox.changes() == {}


def test_a_body_that_does_not_say_it_is_json_is_415() -> None:
    with call_sandbox() as caller:
        assert caller.put_text('{"Name": "x"}', "text/plain").status_code == 415


@pytest.mark.parametrize("status", [404, 400, 500])
def test_unknown_customer_is_refused_with_the_status_set_and_never_created(status: int) -> None:
    with call_sandbox(customers=3, unknown_customer_status=status) as caller:
        for unknown in (FIRST - 1, FIRST + 3):
            for answer in (caller.put({"Name": "x"}, unknown), caller.get(unknown)):
                assert (answer.status_code, "not found" in answer.json()["Message"]) == (status, True)
        assert caller.sandbox.changes() == {}
        assert caller.put({"Name": "x"}, FIRST + 2).status_code == 200


def test_an_id_that_is_no_number_is_400() -> None:
    with call_sandbox() as caller:
        assert caller.put({"Name": "x"}, "163.0").status_code == 400
        assert caller.get("١٦٣").status_code == 400


@pytest.mark.parametrize(
    ("rating_format", "by_name", "by_code"), [("name", 200, 400), ("code", 400, 200), ("both", 200, 200)]
)
def test_rating_format_switch(rating_format: str, by_name: int, by_code: int) -> None:
    with call_sandbox(rating_format=rating_format) as caller:
        assert caller.put({"Rating": "Disatisfied"}).status_code == by_name
        assert caller.put({"Rating": 2}).status_code == by_code
        assert caller.get().json()["Internal"]["LocalRating"] == 2


def test_an_empty_string_clears_or_is_ignored_as_set() -> None:
    with call_sandbox(empty_string="clears") as caller:
        caller.put({"Comments": "x"})
        caller.put({"Comments": ""})
        assert caller.get().json()["Internal"]["Comment"] is None
    with call_sandbox(empty_string="ignored") as caller:
        caller.put({"Comments": "x"})
        assert caller.put({"Comments": ""}).status_code == 200
        assert caller.get().json()["Internal"]["Comment"] == "x"


def test_aliases_replace_the_list_or_are_appended_as_set() -> None:
    with call_sandbox(aliases="replace") as caller:
        caller.put({"BusinessAliases": ["A", "B"]})
        caller.put({"BusinessAliases": ["C"]})
        assert caller.get().json()["General"]["BusinessAliases"] == ["C"]
        caller.put({"BusinessAliases": []})
        assert caller.get().json()["General"]["BusinessAliases"] == []
    with call_sandbox(aliases="append") as caller:
        before = caller.get().json()["General"]["BusinessAliases"]
        caller.put({"BusinessAliases": ["A", "B"]})
        caller.put({"BusinessAliases": ["B", "C"]})
        assert caller.get().json()["General"]["BusinessAliases"] == [*before, "A", "B", "C"]


def test_wholesale_needs_a_business_name_where_that_client_setting_is_on() -> None:
    body = {"IsWholesale": True, "BusinessName": ""}
    with call_sandbox(wholesale_needs_business_name=True) as caller:
        answer = caller.put(body)
        assert (answer.status_code, "BusinessName" in answer.json()["Message"]) == (400, True)
        assert caller.sandbox.changes() == {}
        assert caller.put({**body, "BusinessName": "Firm"}).status_code == 200
    with call_sandbox() as caller:
        assert caller.put(body).status_code == 200


def test_get_carries_the_groups_we_do_not_use_with_recognisable_card_data() -> None:
    with call_sandbox() as caller:
        body = caller.get().json()
    unused = "OrderOptions Addresses WholesaleOptions CustomerGroups CustomColumns NotesCount CreditCards"
    assert set(unused.split()) <= set(body)
    assert (body["CreditCards"][0]["CardNumber"], body["CreditCards"][0]["CVV"]) == (TEST_CARD_NUMBER, TEST_CVV)


def test_list_has_its_own_names_and_only_the_customers_asked_for() -> None:
    with call_sandbox() as caller:
        caller.put({"Name": "Anna van der Berg", "Rating": 4, "BusinessName": "B", "IsWholesale": True})
        body = caller.list(FIRST + 5, FIRST, 5)
        item = body["Items"][0]
        stored = caller.sandbox.customer(FIRST)
    assert stored is not None
    assert ([each["UserID"] for each in body["Items"]], body["TotalResults"]) == ([FIRST, FIRST + 5], 2)
    assert item == {
        "UserID": FIRST, "FirstName": "Anna", "LastName": "van der Berg", "Email": stored["Email"],
        "EmailCC": stored["EmailCC"], "CorporateName": "B", "IsWholeSaleUser": True, "Rating": 4,
    }  # fmt: skip


def test_list_caps_its_pages_silently_and_ends_with_an_empty_one() -> None:
    with call_sandbox(customers=120, page_size_cap=50) as caller:
        pages = [caller.list(page=page, size=500) for page in (1, 2, 3, 4)]
        assert [len(page["Items"]) for page in pages] == [50, 50, 20, 0]
        assert {page["TotalResults"] for page in pages} == {120}
        assert len({item["UserID"] for page in pages for item in page["Items"]}) == 120
        assert len(caller.list(size=7)["Items"]) == 7
        wrong = f"{caller.sandbox.base_url}/Customers?model.pageNumber=0"
        assert caller.session.get(wrong, timeout=5).status_code == 400


def test_list_filter_off_gives_all_customers_whatever_was_asked() -> None:
    with call_sandbox(list_filter=False) as caller:
        assert caller.list(FIRST + 70)["TotalResults"] == 200


def test_server_by_team_fails_with_a_200() -> None:
    with call_sandbox() as caller:
        url = f"{caller.sandbox.root_url}/api/server-by-team/"
        assert caller.session.get(url, params={"team": "sandbox"}, timeout=5).json() == {
            "Success": True, "RestApiEndpoint": f"{caller.sandbox.root_url}/rest",
        }  # fmt: skip
        answer = caller.session.get(url, params={"team": "others"}, timeout=5)
        assert (answer.status_code, answer.json()["Success"]) == (200, False)


def test_other_addresses_are_404_in_json_below_rest_and_a_page_elsewhere() -> None:
    with call_sandbox() as caller:
        below = caller.session.get(f"{caller.sandbox.base_url}/Customer/1%2F2", timeout=5)
        assert (below.status_code, "No resource" in below.json()["Message"]) == (404, True)
        assert caller.session.delete(f"{caller.sandbox.base_url}/Customers/1", timeout=5).status_code == 405
        assert "html" in caller.session.get(f"{caller.sandbox.root_url}/", timeout=5).headers["Content-Type"]
        assert [(each.kind, each.path) for each in caller.sandbox.requests[1:]] == [
            ("other", "/rest/api/Customer/1%2F2"), ("other", "/rest/api/Customers/1"),
        ]  # fmt: skip


@pytest.mark.parametrize("status", [409, 429])
def test_over_the_quota_the_answer_is_the_documented_one_with_the_status_set(status: int) -> None:
    """Sign-in, writes and reads all count; seven digits after the point; the reset time is when the next may come."""
    clock = TurnedClock()
    with call_sandbox(clock=clock, requests_per_hour=3, token_seconds=9000, throttle_status=status) as caller:
        clock.time += 1800.25
        assert (caller.put({"Name": "x"}).status_code, caller.get().status_code) == (200, 200)
        answer = caller.put({"Name": "y"})
        assert answer.status_code == status
        assert answer.json() == {
            "Error": "Too many requests.", "RateLimitResetTime": "2023-11-14T23:13:20.0000000Z",
        }  # fmt: skip
        clock.time = 1_700_003_600.0
        assert (caller.put({"Name": "z"}).status_code, caller.get().status_code) == (200, status)
        assert caller.sandbox.counts["throttled"] == 2
        assert [each.is_throttled for each in caller.sandbox.requests] == [False, False, False, True, False, True]
        assert caller.sandbox.changes() == {FIRST: {"Name": "z"}}


@pytest.mark.parametrize(("window", "status"), [("rolling", 409), ("fixed", 200)])
def test_window_switch(window: str, status: int) -> None:
    """The sign-in came 1 s before a multiple of the window, the reading 1 s after."""
    clock = TurnedClock(1_700_000_100.0 - 1)
    with call_sandbox(clock=clock, window=window, requests_per_hour=1, window_seconds=100) as caller:
        clock.time += 2
        assert caller.get().status_code == status


def test_latency_is_the_time_an_answer_takes() -> None:
    with call_sandbox(latency_seconds=0.05) as caller:
        assert 0.05 <= caller.put({"Name": "x"}).elapsed.total_seconds() < 1


def test_every_option_has_a_help_text_and_unknown_vendor_behaviour_is_said_to_be() -> None:
    from dataclasses import fields

    texts = {each.name: each.metadata["help"] for each in fields(SandboxOptions)}
    assert all(texts.values())
    unknown = {each.name for each in fields(SandboxOptions) if each.metadata["section"] is SwitchGroup.UNKNOWN}
    assert unknown <= {fact.switch for fact in FACTS}, "each is imitated from a report, by a fact that names it"
    assert not re.search("password='", repr(SandboxOptions(password="hush")))


@pytest.mark.parametrize(
    "options", [{"window": "weekly"}, {"customers": -1}, {"latency_seconds": -0.1}, {"faults": {"error-599": 0.1}}]
)
def test_an_option_that_makes_no_sense_is_refused_in_a_sentence(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        SandboxOptions(**options)  # type: ignore[arg-type]
