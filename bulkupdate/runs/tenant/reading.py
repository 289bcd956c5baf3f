"""`doctor --facts`: find out by reading how the service answers. Sends no update."""

from __future__ import annotations

import math
import re
from typing import Any

from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.list_filters import LIST_FILTERS
from bulkupdate.runs.tenant.answers import Questioner, read_object
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.list_reading import read_list_facts
from bulkupdate.sellercloud.single_request import RequestResult

USUAL_REQUESTS, MOST_REQUESTS = 11, 20
_MOST_DIFFERENCES = 200
_SWAGGER_MODEL = "UpdateCustomerRequest"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,59}", re.ASCII)

QUESTIONS = (
    "sign-in: the life of a token",
    "GET Diagnostics/Server: the date of the build",
    "GET /rest/swagger/docs/v1: the description of the API, if it is served",
    "GET Customers: a page of 500, one of two past the end, and if need be up to three more of two: size, end, total",
    "GET Customers with seven ids, the second page of two, and if need be the third: the id filter, what is kept back",
    "GET Customers with one customer's e-mail in other case, if need be as it is, and its first half: its filter",
    "GET Customers with modifiedOnFrom in the future: that filter",
    "GET a customer, if need be two, and GET Customers with part of a phone number, if need be the whole: that filter",
)
"""What is asked, as shown to the user beforehand."""


def read_facts(questioner: Questioner) -> Facts:
    """Ask all questions, with at most `MOST_REQUESTS` requests; what an answer does not show is left out.

    Raises what the client raises: `SignInRefusedError`, other `StoppedError`s, `InterruptedRunError`.
    """
    client = questioner.client
    questioner.watch("sign-in")
    client.sign_in()
    facts: Facts = {}
    life = client.pipeline.token_seconds
    if math.isfinite(life):
        facts["token_seconds"] = int(life)
    facts |= ask_build_date(questioner)
    root = client.base_url.removesuffix("/api")
    facts |= _compare_description(questioner.get_optional("swagger", f"{root}/swagger/docs/v1"))
    return facts | read_list_facts(questioner)


def ask_build_date(questioner: Questioner) -> Facts:
    """Ask for the date of the server's build, with one request; nothing if it is not told."""
    answer = questioner.get_optional("server", f"{questioner.client.base_url}/Diagnostics/Server")
    found = _find_build_date(read_object(answer))
    return {"build_date": found} if found else {}


def _find_build_date(value: Any, *, is_named: bool = False) -> str:
    """Return the first date below a name that contains "build"; empty for none."""
    if isinstance(value, str) and is_named:
        date = re.match(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?|\d{1,2}/\d{1,2}/\d{4}", value)
        return date[0] if date else ""
    pairs = value.items() if isinstance(value, dict) else []
    return next(
        filter(
            None, (_find_build_date(pair, is_named=is_named or "build" in str(name).lower()) for name, pair in pairs)
        ),
        "",
    )


def _compare_description(answer: RequestResult) -> Facts:
    """Return whether the description is served, and the names that only it, or only we, have."""
    described = read_object(answer) or {}
    model = _dig(described, "definitions", _SWAGGER_MODEL, "properties")
    if not isinstance(model, dict):
        return {"swagger": False} if answer.status in (200, 401, 403, 404) else {}
    paths = described.get("paths")
    listing = next((item for path, item in _items(paths) if re.fullmatch(r"(/rest)?(/api)?/Customers/?", path)), None)
    parameters = _dig(listing, "get", "parameters")
    filters = {
        str(parameter.get("name")).removeprefix("model.").removesuffix("[]")
        for parameter in (parameters if isinstance(parameters, list) else ())
        if isinstance(parameter, dict)
    }
    differences = [
        *_list_differences("field", set(model), {field.name for field in UPDATABLE}),
        *_list_differences("filter", filters, set(LIST_FILTERS)),
    ]
    return {"swagger": True, "differences": differences[:_MOST_DIFFERENCES]}


def _list_differences(kind: str, theirs: set[str], ours: set[str]) -> list[str]:
    named = {name for name in theirs if _NAME.fullmatch(name)}
    return [f"+{kind} {name}" for name in sorted(named - ours)] + [f"-{kind} {name}" for name in sorted(ours - theirs)]


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
