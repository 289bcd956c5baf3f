"""From a bad sheet to what went wrong, in a real Chromium: every state looked at, and judged by axe-core."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.axe import find_axe, require_no_violation
from tests.web.browser import Browser
from tests.web.conftest import LOGINS
from tests.web.served import PASSWORD, Server

HEADINGS = "CustomerId;BusinessName;Email;AccountManager1Commission\n"


def press_starting_with(browser: Browser, label: str) -> None:
    path = f"//*[self::button or self::a][starts-with(normalize-space(), '{label}')]"
    browser.driver.find_element("xpath", path).click()


@pytest.mark.long
def test_from_a_bad_sheet_to_the_rows_that_were_rejected(browser: Browser, tmp_path: Path) -> None:
    emails = ["no address" if at % 9 == 0 else f"a{at}@example.com" for at in range(60)]
    rows = (f"{100_001 + at};Firma {at};{email};{2 + at % 2},50\n" for at, email in enumerate(emails))
    sheet = tmp_path / "Kunden Mai.csv"
    sheet.write_text(HEADINGS + "".join(rows), encoding="utf-8")
    plan = ScheduledFaults(customers={100_003 + at: ["conflict-409"] for at in range(0, 20, 4)})
    with (
        Sandbox(SandboxOptions(customers=500, **LOGINS), plan=plan) as sandbox,
        Server(sandbox.base_url, tmp_path / "s") as server,
    ):
        axe = find_axe()
        browser.reset(server.url)
        browser.sign_in("anna", PASSWORD)
        browser.upload(sheet)
        browser.wait_for("60 rows are invalid.")
        browser.find("a[aria-label^='Correct all at once']").click()
        require_no_violation(browser, axe, "correct")
        browser.press("Replace the decimal comma in 60 cells")
        browser.wait_for("60 cells were corrected here.")
        browser.find("input[aria-label='Email in row 2']").clear()
        browser.find("input[aria-label='Email in row 2']").send_keys("a0@example.com")
        browser.press("Check again with these corrections")
        browser.wait_for("61 cells were corrected here.")
        require_no_violation(browser, axe, "corrected")
        browser.press("See the corrections")
        browser.wait_for("61 corrected cells")
        require_no_violation(browser, axe, "corrections")
        press_starting_with(browser, "← ")
        browser.wait_for("The plan")
        for box in ("#skip_invalid", "#snapshot"):
            browser.find(box).click()
        press_starting_with(browser, "Update 54 customers")
        browser.wait_for("finished, 6 invalid, 4 rejected")
        require_no_violation(browser, axe, "went-wrong")
        browser.press("See and search the rows")
        browser.find("#search").send_keys("locked")
        browser.press("Show")
        browser.wait_for("4 rows")
        require_no_violation(browser, axe, "rows")
        browser.press("Fix just these rows")
        browser.wait_for("Kunden Mai-to-fix.xlsx")
        browser.wait_for("rejected when it was sent: The customer is locked.")
