"""The mapping step: from a sheet with foreign headings to a run, and the second time without a question."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook
from selenium.webdriver.support.ui import Select

from bulkupdate.sandbox.server import Sandbox
from tests.web.axe import find_axe, require_no_violation
from tests.web.browser import Browser
from tests.web.served import PASSWORD, Server, Visitor, path_of

HEADINGS = ["Kundennummer", "E-Mail-Adresse", "Firmenname", "Großkunde", "Betreuer", "Prov. Vertreter", "Interne Info"]
FIELDS = ["CustomerId", "Email", "BusinessName", "IsWholesale", "AccountManager1Id", "AccountManager1Commission"]
COUNT_CLICKS = """
addEventListener("click", (event) => {
  if (event.isTrusted) sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1;
}, true);
"""


def make_foreign(first: int, rows: int = 3) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";")
    writer.writerow(HEADINGS)
    for at in range(rows):
        writer.writerow([first + at, f"k{at}@example.com", f"Firma {at}", "aktiv", "Anna", "2,50", "x"])
    return stream.getvalue().encode()


def press_through(browser: Browser, sheet: Path) -> None:
    """From the sign-in page to the check of a sheet; choosing the file takes a click that the page does not see."""
    browser.open("/sign-in")
    browser.driver.execute_script("sessionStorage.clicks = 0")
    browser.find("#username").send_keys("eva")
    browser.find("#password").send_keys(PASSWORD)
    browser.press("Sign in")
    browser.wait_for("Update customers from a sheet")
    browser.find("#sheet").send_keys(str(sheet))
    browser.press("Check the sheet")
    browser.wait(lambda: "/sheets/" in browser.driver.current_url and "Checking" not in browser.title, "the check")


def count_clicks(browser: Browser) -> int:
    return 1 + int(browser.driver.execute_script("return sessionStorage.clicks"))


@pytest.mark.long
def test_from_sign_in_to_a_run_with_foreign_headings(
    browser: Browser, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The first time at most eight clicks, the second time at most four, with the same result."""
    script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": COUNT_CLICKS})
    sheet = tmp_path / "jtl export.csv"
    sheet.write_bytes(b"Kundennummer;E-Mail-Adresse;Notiz intern;Rabattgruppe\n131001;a@example.com;vip;A\n")
    press_through(browser, sheet)
    browser.wait_for("Which column is what?")
    require_no_violation(browser, find_axe(), "columns")
    browser.look()
    Select(browser.find("#column-2")).select_by_value("Comments")
    browser.press("Use these columns")
    browser.wait_for("The plan")
    browser.press("Update 1 customer")
    browser.wait_for("Every row went through.")
    first = count_clicks(browser) + 2  # a user opens the list of fields and takes one; a script's choice is no click
    assert sandbox.customer(131_001)["Comments"] == "vip"  # type: ignore[index]
    sheet.write_bytes(b"Kundennummer;E-Mail-Adresse;Notiz intern;Rabattgruppe\n131002;b@example.com;new;B\n")
    browser.reset(server.url)
    press_through(browser, sheet)
    assert "Read by the recipe jtl-export" in browser.text
    browser.press("Update 1 customer")
    browser.wait_for("Every row went through.")
    second = count_clicks(browser)
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert sandbox.customer(131_002)["Comments"] == "new"  # type: ignore[index]
    assert first <= 8, first
    assert second <= 4, second


def test_the_form_shows_guesses_and_what_becomes_of_the_first_rows(server: Server, sandbox: Sandbox) -> None:
    """Without a script: values that stand for others, the decimal mark, a mistake, and the second upload."""
    fritz = Visitor(server.url, "fritz")
    page = fritz.upload("kunden.csv", make_foreign(132_001))
    assert "<h1>Which column is what?</h1>" in page.text
    assert 'value="CustomerId" selected' in page.text
    assert "k0@example.com" in page.text
    at = path_of(page) + "/columns"
    columns = {"column": [*FIELDS, "ignore"], "decimal_mark": ","}
    page = fritz.post(at, action="preview", **columns)
    assert "“aktiv” is neither yes nor no" in page.text
    assert '<del class="before">2,50</del> <ins class="after">2.50</ins>' in page.text
    values = {"text": ["IsWholesale:aktiv", "AccountManager1Id:Anna"], "meaning": ["Yes", "5012"]}
    page = fritz.post(at, action="preview", **columns, **values)
    assert '<del class="before">aktiv</del> <ins class="after">Yes</ins>' in page.text
    twice = fritz.post(at, action="use", column=["CustomerId", "Email", "Email", *["ignore"] * 4])
    assert twice.status_code == 400
    assert "both mean Email" in twice.text
    assert (
        "is not a whole number" in fritz.post(at, action="use", **columns, text=values["text"], meaning=["", "A"]).text
    )
    checked = fritz.post(at, action="use", **columns, **values)
    assert "Read by the recipe kunden: " in checked.text
    fritz.wait_for_end(fritz.start(checked))
    customer = sandbox.customer(132_001) or {}
    assert [customer[name] for name in ("IsWholesale", "AccountManager1Id", "AccountManager1Commission")] == [
        True, 5012, 2.5,
    ]  # fmt: skip
    assert "Read by the recipe kunden: " in fritz.upload("other.csv", make_foreign(132_011)).text
    late = fritz.upload("late.csv", make_foreign(132_011, rows=40) + b"132099;z@example.com;Z;inaktiv;Bob;1;x\n")
    assert "Map its columns and values" in late.text
    form = fritz.get(path_of(late) + "/columns").text
    assert all(f"“{text}”</label>" in form for text in ("aktiv", "Anna", "inaktiv", "Bob")), "beyond the first rows"
    gerd = Visitor(server.url, "gerd")
    assert "Which column is what?" in gerd.upload("his.csv", make_foreign(132_021)).text, "the recipe is not his"
    assert gerd.get(at).status_code == 404


def test_an_administrator_remembers_for_everyone_and_a_sheet_is_chosen_from_a_list(server: Server) -> None:
    book = Workbook()
    for name in ("Kunden", "Alt"):
        sheet = book.create_sheet(name)
        sheet.append(["Konto", "Anmerkung", None])
        sheet.append([133_001, f"from {name}", "?"])
    stream = io.BytesIO()
    book.save(stream)
    admin = Visitor(server.url, "admin")
    page = admin.upload("konten.xlsx", stream.getvalue())
    assert '<option value="Alt">Alt</option>' in page.text
    at = path_of(page) + "/columns"
    assert "from Alt" in admin.get(at + "?sheet=Alt").text
    used = admin.post(at, at=at, action="use", sheet="Alt", column=["CustomerId", "Comments", "ignore"], everyone="1")
    assert "sheet Alt" in used.text
    other = Visitor(server.url, "ines").upload("konten.xlsx", stream.getvalue())
    assert "Read by the recipe konten" in other.text


def test_customers_are_found_by_a_key_of_the_recipe(server: Server, sandbox: Sandbox) -> None:
    email = (sandbox.customer(134_001) or {})["Email"]
    jan = Visitor(server.url, "jan")
    content = f"Mailadresse,Kommentar zur Person\n{email},hello\n".encode()
    page = jan.upload("mails.csv", content)
    assert "<h1>Which column is what?</h1>" in page.text
    used = jan.post(path_of(page) + "/columns", action="use", column=["Email", "Comments"], key="Mailadresse")
    assert "Its customers are found by Email" in used.text
    again = jan.upload("mails.csv", content)
    assert "Its customers are found by Email" in again.text


def test_a_key_chosen_on_the_page_is_remembered_and_only_the_lookup_sheet_is_asked_for(server: Server) -> None:
    hanna = Visitor(server.url, "hanna")
    sheet = ("own.csv", b"Debitor,Comments\nA1,hello\n")
    lookup = ("list.csv", b"CustomerId,Debitor\n135001,A1\n135002,B2\n")
    first = hanna.post("/sheets", files={"sheet": sheet, "lookup": lookup}, key="Debitor")
    assert "Customers found by Debitor: 1 row: 1 matched." in first.text
    assert "Read by the recipe own: customers found by Debitor." in first.text
    again = hanna.upload(*sheet)
    assert "Upload a lookup sheet as well, with the columns CustomerId and Debitor." in again.text
    assert 'name="key" maxlength="200" list="keys" value="Debitor"' in again.text
    data = {"again": path_of(again).rpartition("/")[2], "key": "Debitor"}
    assert "Update 1 customer" in hanna.post("/sheets", files={"lookup": lookup}, **data).text


def test_the_encoding_is_chosen_in_the_mapping_step_if_it_is_not_certain(server: Server, sandbox: Sandbox) -> None:
    ines = Visitor(server.url, "ines")
    text = "Kundennummer;Firmenname;Rabattgruppe\n136001;Łódź Żabka;A\n136002;Ćwikła Święta;B\n"
    page = ines.upload("lodz.csv", text.encode("cp1250"))
    assert "Which of these looks right?" in page.text
    page = ines.post(path_of(page) + "/read-as", encoding="cp1252")
    assert "<h1>Which column is what?</h1>" in page.text
    assert "Which of these looks right?" in page.text, "it can still be changed"
    page = ines.post(path_of(page) + "/read-as", encoding="cp1250")
    assert "Łódź Żabka" in page.text
    used = ines.post(path_of(page) + "/columns", action="use", column=["CustomerId", "BusinessName", "ignore"])  # type: ignore[arg-type]
    ines.wait_for_end(ines.start(used))
    assert (sandbox.customer(136_001) or {})["BusinessName"] == "Łódź Żabka"
