"""Users see and send their own, administrators see everything, approval needs two users."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import url_for

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sandbox.tokens import Tokens
from bulkupdate.settings import Settings
from bulkupdate.web.app import create_app
from tests.web.conftest import MADE_ID
from tests.web.served import PASSWORD, Server, Visitor, count_updates, make_csv, path_of


def test_nothing_of_other_users_exists_at_any_address(
    server: Server, run_of_anna: str, anna: Visitor, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Whatever is asked for by changing the id is answered like an id that does not exist; without a token, 403."""
    sheet, run = path_of(anna.upload("private.csv", make_csv(2))).split("/")[-1], run_of_anna.split("/")[-1]
    export = path_of(anna.post("/exports", sheet=sheet, fields="short")).split("/")[-1]
    ids = {"upload_id": sheet, "run_id": run, "export_id": export, "row": 2, "number": 2}
    what = {"checks.report": "report.xlsx", "downloads.results": "results"}
    bert, before, tried = Visitor(server.url, "bert"), count_updates(sandbox), 0
    token = bert.token()
    app = create_app(Settings(base_url=sandbox.base_url, state_dir=tmp_path))
    for rule in app.url_map.iter_rules():
        if not rule.arguments & {"upload_id", "run_id", "export_id"}:
            continue
        with app.test_request_context():
            made = {name: ids.get(name, what.get(rule.endpoint)) for name in rule.arguments}
            path = url_for(rule.endpoint, **made)
            unknown = url_for(rule.endpoint, **{**made, **{name: MADE_ID for name in made if name.endswith("_id")}})
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            if method == "POST":
                assert bert.session.post(server.url + path, {"agreed": "1"}, timeout=30).status_code == 403
            data = {"csrf_token": token, "agreed": "1", "confirmed": "1", "comment": "x"} if method == "POST" else None
            foreign, none = (
                bert.session.request(method, server.url + each, data=data, timeout=30) for each in (path, unknown)
            )
            assert foreign.status_code == none.status_code, (method, path)
            assert foreign.status_code in (400, 404), (method, path)
            tried += 1
    assert tried > 40
    assert count_updates(sandbox) == before
    assert "private.csv" not in bert.get("/runs").text
    assert "private.csv" in anna.get("/runs").text
    for path in ("/results.xlsx", "/results.csv", "/all.zip", "/undo.xlsx", "/progress", ""):
        assert anna.get(run_of_anna + path).status_code == 200


def test_an_admin_sees_all_but_sends_nothing_of_others(server: Server, run_of_anna: str) -> None:
    """Names in BULKUPDATE_ADMINS, whatever their case."""
    admin = Visitor(server.url, "admin")
    assert "own.csv" in admin.get("/runs").text
    assert admin.get(run_of_anna + "/results.xlsx").status_code == 200
    assert admin.post(run_of_anna + "/resume").status_code == 403


def test_another_spelling_that_the_service_accepts_is_the_same_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service takes `ánn` for `ann`, as some databases do, and says so in its answer: no second user approves."""
    issue = Tokens.issue
    monkeypatch.setattr(Tokens, "issue", lambda self, _user, now: issue(self, "ann@example.com", now))
    options = SandboxOptions(username="ann@example.com,ánn@example.com,ａnn@example.com", password=PASSWORD)
    with Sandbox(options) as sandbox, Server(sandbox.base_url, tmp_path / "s", approval="required") as server:
        checked = Visitor(server.url, "ann@example.com").upload("own.csv", make_csv(2))
        for typed in ("ánn@example.com", "ａnn@example.com"):
            other = Visitor(server.url, typed)
            assert 'class="visually-hidden">Signed in as </span>ann@example.com' in other.get("/").text
            assert other.start(checked).status_code == 403
        assert not count_updates(sandbox)


def test_with_approval_another_user_starts(proxied: Server, sandbox: Sandbox) -> None:
    """The uploader cannot start; another user sees the sheet and can; both see the run, a third does not."""
    chris, dora, eva = (Visitor(proxied.url, name) for name in ("chris", "dora", "eva"))
    checked = chris.upload("approved.csv", make_csv(4, first_id=130_001))
    assert "Approval required" in checked.text
    sandbox.reset_log()
    assert chris.start(checked).status_code == 403
    assert dora.post(path_of(checked) + "/remove").status_code == 403
    assert not count_updates(sandbox)
    assert "approved.csv" in dora.get("/runs").text
    run = dora.wait_for_end(dora.start(checked))
    assert count_updates(sandbox) == 4
    assert "by dora" in run.text
    assert chris.get(path_of(run)).status_code == 200
    assert eva.get(path_of(run)).status_code == 404
    late = eva.start(checked)  # the plan was still open
    assert late.status_code == 409
    assert "dora has started this sheet already." in late.text
    assert eva.get(path_of(checked) + "/report.xlsx").status_code == 404


def test_an_approval_holds_only_for_the_plan_that_was_seen(proxied: Server, sandbox: Sandbox) -> None:
    chris, dora = (Visitor(proxied.url, name) for name in ("chris", "dora"))
    checked = chris.upload("seen.csv", b"CustomerId,AccountManager1Commission\n130101,1.5\n")
    seen = re.search(r'name="plan" value="(\w+)"', dora.get(path_of(checked)).text)
    assert seen is not None
    sandbox.reset_log()
    assert chris.post(path_of(checked) + "/read-as", numbers="stored").status_code == 200
    for approved in (seen[1], ""):
        refused = dora.start(checked, plan=approved)
        assert refused.status_code == 409
        assert "The plan has changed since you saw it" in refused.text
    assert not count_updates(sandbox)
    dora.wait_for_end(dora.start(checked))
    assert count_updates(sandbox) == 1


def test_the_audit_is_for_administrators(server: Server, anna: Visitor, run_of_anna: str) -> None:
    anna.get(run_of_anna + "/results.xlsx")
    anna.get(run_of_anna.replace("runs", "sheets") + "/report.xlsx")
    assert anna.get("/audit").status_code == 404
    shown = Visitor(server.url, "admin").get("/audit").text
    for event in ("signed in", "uploaded", "started", "sending", "finished", "downloaded results", "downloaded report"):
        assert f">{event}<" in shown
    assert run_of_anna.split("/")[-1] in shown


def test_an_approval_holds_only_for_the_customers_that_were_seen(proxied: Server, sandbox: Sandbox) -> None:
    """The lookup sheet is replaced by one of the same name that leads to another customer."""
    chris, dora = (Visitor(proxied.url, name) for name in ("chris", "dora"))
    sheet, lookups = b"No,Comments\nA,x\n", [f"CustomerId,No\n{number},A\n".encode() for number in (130_201, 130_202)]
    checked = chris.post("/sheets", files={"sheet": ("own.csv", sheet), "lookup": ("l.csv", lookups[0])}, key="No")
    seen = re.search(r'name="plan" value="(\w+)"', dora.get(path_of(checked)).text)
    assert seen is not None
    upload_id = path_of(checked).rpartition("/")[2]
    changed = chris.post("/sheets", files={"lookup": ("l.csv", lookups[1])}, key="No", again=upload_id)
    assert "1 matched" in changed.text
    sandbox.reset_log()
    assert dora.start(checked, plan=seen[1]).status_code == 409
    assert not count_updates(sandbox)
