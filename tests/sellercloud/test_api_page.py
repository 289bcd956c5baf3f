"""`docs/api.md`: its table of answers is what the code does, line by line, and what the code cites is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import SignInRefusedError, StoppedError
from bulkupdate.runs.tenant.facts import FACTS
from bulkupdate.sandbox.switches import SandboxOptions, SwitchGroup
from bulkupdate.sellercloud.response import Verdict, read_response
from tests.sellercloud.scripted import SIGNED_IN, Reaction, TurnedClock, connect, in_turn, serve, throttled

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_unknown_is_listed_and_has_a_step_that_settles_it() -> None:
    unknown = {option.name for option in fields(SandboxOptions) if option.metadata["section"] is SwitchGroup.UNKNOWN}
    listed = PAGE.partition("## Unknown\n")[2]
    named = {name.replace("-", "_") for name in re.findall(r"`--([a-z-]+)`", listed)} - {"verify", "fault"}
    settled = {fact.switch for fact in FACTS}
    assert unknown <= named <= settled


NOW = datetime(2022, 1, 14, 9, 38, tzinfo=UTC).timestamp()

_ROW = {"updated": Status.UPDATED, "rejected": Status.REJECTED, "failed": Status.FAILED,
        "unknown": Status.UNKNOWN}  # fmt: skip


def read_table() -> Iterator[tuple[int, bytes, str, str]]:
    """Every status of every line of the table, with body, verdict and row."""
    table = PAGE.partition("<!-- answers -->")[2].partition("<!-- /answers -->")[0]
    for line in table.strip().splitlines()[2:]:
        statuses, body, verdict, row = (cell.strip() for cell in line.strip("|").split("|"))
        yield from ((int(status), body.strip("`").encode(), verdict, row) for status in statuses.split(","))


TABLE = list(read_table())


@pytest.mark.parametrize(("status", "body", "verdict", "row"), TABLE)
def test_an_answer_counts_as_the_page_says(tmp_path: Path, status: int, body: bytes, verdict: str, row: str) -> None:
    assert read_response(status, {}, body, NOW).verdict is Verdict[verdict.upper()]
    clock = TurnedClock(NOW)
    answer = Reaction(status, body)
    script = in_turn(answer, Reaction(200)) if row == "waits" else in_turn(answer)
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        told = client.update_customer("163", '{"Name": "A"}')
        puts = len(service.puts)
    if row == "stops":
        assert isinstance(told.stop, SignInRefusedError)
        assert (told.status, puts) == (Status.NOT_ATTEMPTED, 2)
    elif row == "waits":
        assert (told.status, told.attempts, puts) == (Status.UPDATED, 1, 2)
        assert sum(clock.waits) > 1
    else:
        assert (told.status, told.http_status, puts) == (_ROW[row], status, 5 if verdict == "transient" else 1)
        assert bool(told.message) == (row != "updated" or body.startswith(b"<html"))


def test_the_table_has_every_verdict() -> None:
    assert {verdict for _, _, verdict, _ in TABLE} == {each.value for each in Verdict}


def test_a_throttle_answer_to_the_sign_in_is_waited_out_whatever_its_status(tmp_path: Path) -> None:
    clock = TurnedClock()
    sign_in = in_turn(throttled(200, "soon"), throttled(409, "soon"), throttled(503, "soon"), SIGNED_IN)
    with serve(sign_in=sign_in, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        assert client.update_customer("163", "{}").status is Status.UPDATED
        assert len(service.sign_ins) == 4


def test_a_login_refused_with_200_is_refused_in_the_service_s_words(tmp_path: Path) -> None:
    refusal = Reaction(200, {"Success": False, "Message": "Invalid username or password"})
    with serve(sign_in=refusal) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(SignInRefusedError, match="Invalid username or password"):
            client.sign_in()
        assert len(service.sign_ins) == 1


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (302, {"Location": "https://else.example/x"}, "a redirect to else.example"),
        (302, {"Location": "/login"}, "a redirect to another path of the same host"),
        (300, {}, "the service refused it (300) and gave no reason"),
        (304, {}, "the service refused it (304) and gave no reason"),
    ],
)
def test_a_redirect_is_named_only_if_there_is_one(
    tmp_path: Path, status: int, headers: dict[str, str], words: str
) -> None:
    with serve(Reaction(status, headers=headers)) as service, connect(service.base_url, tmp_path) as client:
        assert words in client.update_customer("163", "{}").message


def test_a_customer_that_is_not_found_by_200_is_unknown(tmp_path: Path) -> None:
    answer = Reaction(200, {"Success": False, "Message": "Customer not found"})
    with serve(answer) as service, connect(service.base_url, tmp_path) as client:
        assert client.read_customer("163") is None


def test_a_list_refused_with_200_is_no_empty_list(tmp_path: Path) -> None:
    answer = Reaction(200, {"Success": False, "Message": "No rights", "Items": []})
    with (
        serve(answer) as service,
        connect(service.base_url, tmp_path) as client,
        pytest.raises(StoppedError, match="No rights"),
    ):
        client.list_customers(["163"])


def test_every_option_for_what_is_unknown_is_an_option_of_the_sandbox() -> None:
    named = re.findall(r"^\|[^|]+\| `--([a-z-]+)", PAGE.partition("## Unknown")[2], re.MULTILINE)
    known = {each.replace("_", "-") for each in SandboxOptions.__dataclass_fields__} | {"fault"}
    assert len(named) >= 9
    assert set(named) <= known


def test_every_section_that_the_code_names_is_there() -> None:
    headings = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    for path in (ROOT / "bulkupdate").rglob("*.py"):
        text = " ".join(path.read_text(encoding="utf-8").split())
        for named in re.findall(r"docs/api\.md`?, section ([A-Z][A-Za-z -]*?)[`.,;:)]", text):
            assert named in headings, (path.name, named)


def test_nothing_cites_documents_that_are_not_in_the_repository() -> None:
    for path in (ROOT / "bulkupdate").rglob("*.py"):
        assert not re.search(r"API sheet|\bcertainty\b|interface:|issue \d", path.read_text(encoding="utf-8")), path
