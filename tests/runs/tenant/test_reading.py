"""`doctor --facts` finds out how the sandbox is set, by reads only."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.customers.list_filters import LIST_FILTERS
from bulkupdate.redaction import Secret
from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.runs.tenant.facts import FACTS, Facts, Step, to_switches
from bulkupdate.runs.tenant.reading import MOST_REQUESTS, USUAL_REQUESTS, read_facts
from bulkupdate.sandbox.api_description import describe_api
from bulkupdate.sandbox.responses import answer_json, error_response
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sellercloud.client import open_client
from bulkupdate.settings import Settings
from tests.postgres import database_of


def ask(sandbox: Sandbox, folder: Path) -> Facts:
    """The facts, found out with a client of its own."""
    settings = Settings(
        base_url=sandbox.base_url, username="sandbox", password=Secret("sandbox"), state_dir=folder,
        database=database_of(folder),
        requests_per_hour=0, timeout=2,
    )  # fmt: skip
    client = open_client(settings, Clock(), threading.Event())
    try:
        return read_facts(Questioner(client))
    finally:
        client.close()


READ = {fact.switch for fact in FACTS if fact.step is Step.FACTS and fact.switch}


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"swagger": False, "build_date": "2025-02-03", "token_seconds": 1800, "page_size_cap": 30},
        {"list_filter": False, "email_filter": "contains", "phone_filter": "ignored", "modified_filter": False},
        {"email_filter": "ignored", "phone_filter": "exact", "repeat_last_page": True, "total_results": "half"},
        {"repeat_last_page": True, "total_results": "twice"},
        {"repeat_last_page": True},
        {"total_results": "half"},
        {"total_results": "twice"},
        {"total_results": "page", "repeat_last_page": True},
        {"total_results": "missing"},
        {"kept_back": "page", "total_results": "half"},
        {"kept_back": "items", "repeat_last_page": True},
        {"kept_back": "id"},
        {"kept_back": "customer"},
        {"kept_back": "customer", "email_filter": "case", "phone_filter": "exact"},
        {"kept_back": "customer", "email_filter": "contains", "total_results": "half"},
        {"kept_back": "customer", "email_filter": "case", "total_results": "missing", "shared_emails": 0.1},
    ],
)
def test_reads_find_out_every_switch_that_reads_depend_on(make_sandbox, tmp_path, switches):
    sandbox = make_sandbox(customers=120, **switches)
    found = to_switches(ask(sandbox, tmp_path))
    assert {name: found.get(name) for name in READ} == {name: getattr(sandbox.options, name) for name in READ}
    assert len(sandbox.requests) <= MOST_REQUESTS
    assert {each.method for each in sandbox.requests if each.kind != "token"} == {"GET"}


def test_the_documented_service_is_read_with_about_ten_requests(sandbox, tmp_path):
    ask(sandbox, tmp_path)
    assert len(sandbox.requests) == USUAL_REQUESTS == 11


STRANGE = [{"UserID": {"a": 1}, "Email": ["x@y"]}, {"UserID": [1]}, "x", None, {"UserID": 1e308}, {"UserID": True}] * 9


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"Items": STRANGE, "TotalResults": {"x": 1}}, {"total_results": "missing", "modified_filter": "ignored"}),
        ({"Items": [{"UserID": n, "Email": f"{n}@b"} for n in range(60)], "TotalResults": True},
         {"list_filter": "ignored", "email_filter": "ignored", "total_results": "missing"}),
    ],
)  # fmt: skip
def test_a_strange_list_does_not_stop_the_questions(make_sandbox, tmp_path, body, expected):
    found = ask(make_sandbox(plan=lambda request: answer_json(body) if request.kind == "list" else None), tmp_path)
    assert found.items() >= expected.items()
    assert "kept_back" not in found  # a page of two has more


def test_the_names_that_only_one_side_has_are_named(make_sandbox, tmp_path):
    same = ask(make_sandbox(), tmp_path / "same")
    assert (same["swagger"], same["differences"]) == (True, [])
    described: Any = describe_api()
    described["definitions"]["UpdateCustomerRequest"]["properties"] |= {"Nickname": {}, "no name!": {}}
    del described["definitions"]["UpdateCustomerRequest"]["properties"]["Fax"]
    listing = described["paths"].pop("/api/Customers")
    listing["get"]["parameters"] = [{"name": "model.colours[]"}, None, *listing["get"]["parameters"][1:]]
    described["paths"] |= {"/api/Orders": None, "/rest/api/Customers/": listing}
    sandbox = make_sandbox(plan=lambda request: answer_json(described) if request.kind == "swagger" else None)
    found = ask(sandbox, tmp_path)
    lacking = f"-filter {next(iter(LIST_FILTERS))}"
    assert found["differences"] == ["+field Nickname", "-field Fax", "+filter colours", lacking]


@pytest.mark.parametrize(("status", "is_told"), [(401, True), (403, True), (404, True), (500, False)])
def test_a_description_that_is_refused_is_not_served(make_sandbox, tmp_path, status, is_told):
    refused = error_response(status, "no")
    found = ask(make_sandbox(plan=lambda request: refused if request.kind == "swagger" else None), tmp_path)
    assert found.get("swagger") is (False if is_told else None)


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_without_rights_for_the_diagnostics_learns_all_the_rest(make_sandbox, tmp_path, status):
    """A 401 from that endpoint does not mean that the login is wrong, so the client does not sign in again."""
    refused = error_response(status, "no")
    sandbox = make_sandbox(plan=lambda request: refused if request.kind == "server" else None)
    found = ask(sandbox, tmp_path)
    assert {"build_date", *found} == set(ask(make_sandbox(), tmp_path / "whole"))
    assert [request.kind for request in sandbox.requests].count("token") == 1


@pytest.mark.parametrize("fault", ["error-500", "html-200", "html-502", "empty-body", "cut-after"])
def test_what_answers_do_not_tell_is_left_out(make_sandbox, tmp_path, fault):
    sandbox = make_sandbox(customers=120, faults={fault: 1.0}, faults_on="reads")
    assert set(ask(sandbox, tmp_path)) <= {"token_seconds", "swagger", "differences", "build_date"}
    assert len(sandbox.requests) <= MOST_REQUESTS
