"""The mapping step and corrections in place, with the keyboard alone, in a browser without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from bulkupdate.sandbox.server import Sandbox
from tests.web.browser import Browser
from tests.web.served import PASSWORD, Server


def go_to(browser: Browser, tag: str, **attributes: str) -> None:
    """Press the Tab key until an element is focused that has this tag and these attributes or texts."""
    for _ in range(120):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        focused = browser.driver.switch_to.active_element
        found = {"text": focused.text, **{key: focused.get_dom_attribute(key) for key in attributes if key != "text"}}
        if focused.tag_name == tag and all(found[key] == value for key, value in attributes.items()):
            return
    raise AssertionError(f"no {tag} {attributes} on {browser.driver.current_url}")


def type_keys(browser: Browser, *keys: str) -> None:
    ActionChains(browser.driver).send_keys(*keys).perform()


@pytest.mark.long
def test_columns_are_mapped_and_cells_corrected_with_the_keyboard_alone(
    server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    sheet = tmp_path / "keys.csv"
    sheet.write_bytes(b"Kundennummer;E-Mail-Adresse;Notiz intern\n137001;no address;vip\n")
    browser = Browser(script=False)
    try:
        browser.reset(server.url)
        browser.sign_in("dora", PASSWORD)
        browser.find("#sheet").send_keys(str(sheet))
        go_to(browser, "button", text="Check the sheet")
        type_keys(browser, Keys.ENTER)
        browser.wait_for("Which column is what?")
        go_to(browser, "select", id="column-2")
        type_keys(browser, "Comments")
        go_to(browser, "button", text="Use these columns")
        type_keys(browser, Keys.ENTER)
        browser.wait_for("1 row is invalid.")
        go_to(browser, "input", name="after")
        type_keys(browser, "keys@example.com")  # TAB has selected the text
        go_to(browser, "button", text="Check again with these corrections")
        type_keys(browser, Keys.ENTER)
        browser.wait_for("1 cell was corrected here.")
        go_to(browser, "button", text="Update 1 customer")
        type_keys(browser, Keys.ENTER)
        browser.wait_for("Every row went through.")
    finally:
        browser.close()
    customer = sandbox.customer(137_001) or {}
    assert (customer["Email"], customer["Comments"]) == ("keys@example.com", "vip")
