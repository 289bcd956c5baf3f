"""The scripts of the pages (static/*.js), in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.postgres import only_files
from tests.web.axe import find_axe, require_no_violation
from tests.web.browser import Browser
from tests.web.conftest import LOGINS
from tests.web.served import PASSWORD, Server, make_csv


@pytest.mark.long
def test_a_session_about_to_end_is_announced_and_can_be_prolonged(
    browser: Browser, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A session of half a minute, as a busy machine takes seconds to look at the warning."""
    with Server(sandbox.base_url, tmp_path / "state", session_minutes="0.5") as server:
        browser.reset(server.url)
        browser.sign_in("anna", PASSWORD)
        warning = browser.find("#session-ending")
        assert not warning.is_displayed()
        browser.wait(warning.is_displayed, "the warning")
        assert "signed out soon" in warning.text
        browser.picture("session-ending")
        require_no_violation(browser, find_axe())
        browser.look()
        browser.press("Stay signed in")
        browser.wait(lambda: not warning.is_displayed(), "the warning to go")
        browser.wait(warning.is_displayed, "the next warning")
        browser.wait(lambda: "/sign-in" in browser.driver.current_url, "the sign-in page")
        assert "You were signed out because no page was opened" in browser.text


@pytest.mark.long
@only_files  # servers that share a database keep their sessions over a restart
def test_a_server_that_is_gone_is_said(browser: Browser, tmp_path: Path) -> None:
    options = SandboxOptions(customers=500, latency_seconds=0.3, **LOGINS)
    sheet = tmp_path / "gone.csv"
    sheet.write_bytes(make_csv(400))
    with Sandbox(options) as sandbox, Server(sandbox.base_url, tmp_path / "state") as server:
        browser.reset(server.url)
        browser.sign_in("anna", PASSWORD)
        browser.upload(sheet)
        browser.press("Update 400 customers")
        browser.wait(lambda: "% ·" in browser.title, "the share in the title")
        server.kill()
        browser.wait_for("The server does not answer. The run may have stopped")
        server.start()
        browser.wait(lambda: "/sign-in" in browser.driver.current_url, "the sign-in page")
        browser.sign_in("anna", PASSWORD)
        browser.open("/runs")
        browser.press("gone.csv")
        assert "The server ended while this run was being sent." in browser.text


def test_a_file_dropped_beside_the_form_leaves_the_page_alone(browser: Browser) -> None:
    browser.sign_in("anna", PASSWORD)
    is_prevented = browser.driver.execute_script(
        "const drop = new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: new DataTransfer()});"
        "document.querySelector('footer').dispatchEvent(drop); return drop.defaultPrevented;"
    )
    assert is_prevented


@pytest.mark.long
def test_a_dropped_file_is_checked_at_once_and_a_bar_shows_its_upload(browser: Browser) -> None:
    """A file that is refused is told in place, and the form works on."""
    drop = (
        "const files = new DataTransfer(); files.items.add(new File([arguments[1]], arguments[0]));"
        "const options = {bubbles: true, cancelable: true, dataTransfer: files};"
        "document.querySelector('.drop label').dispatchEvent(new DragEvent('drop', options));"
    )
    browser.sign_in("anna", PASSWORD)
    browser.driver.execute_script(drop, "program.exe", "x")
    browser.wait_for("Upload rejected.")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    text = "CustomerId,Comments\n145001,x\n" + ",\n" * 400_000
    browser.driver.execute_script(drop, "dropped.csv", text)
    browser.wait_for("Uploading: ")
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    browser.wait(lambda: "dropped.csv checked" in browser.title, "the check")


def test_a_page_is_printed_without_its_controls_and_keeps_its_borders_in_a_contrast_theme(browser: Browser) -> None:
    browser.sign_in("anna", PASSWORD)
    styles = (
        "return ['.top', 'button.primary', 'h1', '.service'].map((of) => getComputedStyle(document.querySelector(of)))"
    )
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.driver.execute_script(styles + ".map((style) => style.display)") == ["none", "none", "block", "none"]
    contrast = {"name": "forced-colors", "value": "active"}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [contrast]})
    _, button, _, band = browser.driver.execute_script(styles + ".map((style) => style.borderTopWidth)")
    assert button == band == "1px"


@pytest.mark.long
def test_the_end_of_a_run_is_announced(browser: Browser, server: Server, tmp_path: Path) -> None:
    """For those who hear the page: it is loaded again at the end, and says how the run ended."""
    sheet = tmp_path / "heard.csv"
    sheet.write_bytes(make_csv(600, first_id=140_001))
    browser.sign_in("bert", PASSWORD)
    browser.upload(sheet)
    browser.press("Update 600 customers")
    browser.wait_for("Every row went through.")
    browser.wait(lambda: "finished" in browser.find("#announce").get_property("textContent"), "the announcement")
