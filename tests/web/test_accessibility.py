"""Accessibility of every page, judged by axe-core in a real Chromium."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.web.axe import find_axe, require_no_violation
from tests.web.browser import Browser
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of

PICTURED = ("start", "plan", "problems", "scheduled", "done", "failures", "undo", "exports", "export", "changes")
"""The states whose pictures are in docs/pictures, as far as they are not taken elsewhere."""


@pytest.mark.long
def test_no_serious_violation_of_accessibility_on_any_page(browser: Browser, server: Server, sample: Path) -> None:
    """axe-core on every page, refusals of the server included: light and dark, wide and on a phone."""
    axe = find_axe()
    browser.open("/sign-in")
    require_no_violation(browser, axe, "sign-in")
    browser.sign_in("hanna", PASSWORD)
    hanna = Visitor(server.url, "hanna")
    states = {
        "start": "/", "none": "/runs/none", "sessions": "/sessions", "search": "/runs?q=nothing",
        "too long": "/" + "x" * 70_000,
        "plan": path_of(hanna.upload(sample.name, sample.read_bytes())),
        "problems": path_of(hanna.upload("customers-may.csv", make_csv(150, bad_every=7))),
        "columns": path_of(hanna.upload("refused.csv", b"nothing,here\n1,2\n")),
        "key": path_of(hanna.upload("mail.csv", b"Email,Comments\na@example.com,x\n", key="Email")),
        "customer": "/customers?id=100001", "exports": "/exports", "scheduled": schedule(hanna),
    }  # fmt: skip
    two = {"sheet": ("own.csv", b"No,Comments\nA,x\n"), "lookup": ("list.csv", b"CustomerId,No\n100001,A\n100002,A\n")}
    states["ambiguous"] = path_of(hanna.post("/sheets", files=two, key="No"))
    run = states["done"] = path_of(hanna.wait_for_end(hanna.start(hanna.upload("may.csv", make_csv(30)), snapshot="1")))
    states["undo"] = run + "/undo"
    states["failures"] = path_of(
        hanna.wait_for_end(hanna.start(hanna.upload("june.csv", make_csv(30, first_id=159_980))))
    )
    states["export"] = path_of(hanna.post("/exports", sheet=run.rpartition("/")[2], fields="short"))
    states["changes"] = path_of(hanna.wait_for_work(hanna.post(states["scheduled"] + "/changes")))
    for name, path in states.items():
        browser.open(path)
        require_no_violation(browser, axe, name if name in PICTURED else "")
    running = path_of(hanna.start(hanna.upload("all.csv", make_csv(50_000)), snapshot="1", verify="1"))
    browser.open(running)
    browser.wait(lambda: "to be read back" in browser.text, "the first updates")
    require_no_violation(browser, axe, "progress")
    hanna.post(running + "/stop")
    states = {"stopped": path_of(hanna.wait_for_end(hanna.get(running))), "history": "/runs"}
    states["undo-compared"] = path_of(hanna.wait_for_work(hanna.post(run + "/undo")))
    for name, path in states.items():
        browser.open(path)
        require_no_violation(browser, axe, name)
    browser.reset(server.url)
    browser.sign_in("admin", PASSWORD)
    for path in ("/audit", "/sessions", "/runs"):
        browser.open(path)
        require_no_violation(browser, axe)


def schedule(visitor: Visitor) -> str:
    """Return the page of a sheet that starts tomorrow."""
    path = path_of(visitor.upload("later.csv", make_csv(4, first_id=146_001, name="Later")))
    tomorrow = datetime.now() + timedelta(days=1)
    visitor.post(path + "/schedule", start_at=f"{tomorrow:%Y-%m-%dT%H:%M}", confirmed="1")
    return path
