"""Accessibility of every page, judged by axe-core in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.axe import find_axe, require_no_violation
from tests.web.browser import Browser
from tests.web.served import PASSWORD, Server, Visitor, make_csv, path_of


@pytest.mark.long
def test_no_serious_violation_of_accessibility_on_any_page(
    browser: Browser, server: Server, sample: Path, tmp_path: Path
) -> None:
    """axe-core on every page, refusals of the server included: light and dark, wide and on a phone."""
    axe = find_axe()
    bad = tmp_path / "bad.csv"
    bad.write_bytes(make_csv(150, bad_every=3))
    refused = tmp_path / "refused.csv"
    refused.write_text("nothing,here\n1,2\n")
    browser.open("/sign-in")
    require_no_violation(browser, axe)
    browser.sign_in("hanna", PASSWORD)
    paths = ["/", "/runs", "/runs/none", "/sessions", "/runs?q=nothing", "/" + "x" * 70_000]
    for sheet in (sample, bad, refused):
        browser.upload(sheet)
        paths.append(browser.driver.current_url.removeprefix(browser.url))
    visitor = Visitor(server.url, "hanna")
    paths.append(path_of(visitor.upload("mail.csv", b"Email,Comments\na@example.com,x\n", key="Email")))
    two = {"sheet": ("own.csv", b"No,Comments\nA,x\n"), "lookup": ("list.csv", b"CustomerId,No\n100001,A\n100002,A\n")}
    paths.append(path_of(visitor.post("/sheets", files=two, key="No")))
    run = visitor.start(visitor.upload("run.csv", make_csv(5)))
    paths += [run.url.removeprefix(server.url), "/customers?id=100001"]
    visitor.wait_for_end(run)
    for path in paths:
        browser.open(path)
        require_no_violation(browser, axe)
    browser.open(paths[6])
    browser.press("Show before and after")
    browser.wait_for("Before and after")
    require_no_violation(browser, axe)
    browser.open("/")
    browser.picture("start-dark")
    browser.look(width=390)
    browser.open(paths[7])
    browser.picture("problems-phone")
    browser.look()
    browser.open("/runs")
    browser.picture("history")
    browser.reset(server.url)
    browser.sign_in("admin", PASSWORD)
    for path in ("/audit", "/sessions", "/runs"):
        browser.open(path)
        require_no_violation(browser, axe)
