"""`recipes`, and what runs, plans and nights make of a recipe."""

from __future__ import annotations

import pytest

from bulkupdate.errors import ExitCode
from bulkupdate.sandbox.faults import ScheduledFaults
from tests.conftest import FIRST, find_puts, write_csv

HEADINGS = ["Kundennr", "Firma", "Provision", "Intern"]
MAPS = ("--map", "Kundennr=CustomerId", "--map", "Firma=BusinessName", "--map", "Provision=Commission 1")
SAVE = (*MAPS, "--map", "Intern=ignore", "--decimal", ",")


@pytest.fixture
def shop(run_program, tmp_path):
    """A sheet with headings of its own, and its recipe."""
    sheet = write_csv(tmp_path / "shop.csv", [HEADINGS, [FIRST, "A", "2,50", "x"], [FIRST + 1, "B", "3,5", "y"]])
    saved = run_program("recipes", "save", "shop", sheet, *SAVE)
    assert saved.told["name"] == "shop", saved.err
    return sheet


def test_recipes_are_saved_listed_shown_and_deleted(run_program, shop):
    (listed,) = run_program("recipes").told
    assert (listed["name"], listed["user"], listed["headings"]) == ("shop", "sandbox", HEADINGS)
    assert 'Provision = "AccountManager1Commission"' in run_program("recipes", "show", "shop").told["text"]
    assert run_program("recipes", "delete", "shop").told["deleted"] == "shop"
    assert run_program("recipes").told == []
    for arguments in (("show", "shop"), ("delete", "shop"), ("save", "shop"), ("show",), ("save", "Shop", shop, *SAVE)):
        assert run_program("recipes", *arguments).exit_code == ExitCode.USAGE
    refused = run_program("recipes", "save", "shop", shop, *MAPS)
    assert "The meaning of the heading “Intern” is not given" in refused.err


def test_a_run_uses_the_recipe_says_so_and_keeps_it(run_program, sandbox, shop, tmp_path):
    checked = run_program("check", shop)
    assert checked.told["recipe"] == "shop"
    assert "Read by the recipe shop" in checked.err
    assert run_program("check", shop, "--no-recipe").exit_code == ExitCode.FILE_REFUSED
    answer = run_program("run", shop, "--yes", "-o", tmp_path / "r.xlsx")
    assert answer.counts == {"updated": 2}
    assert sandbox.customer(FIRST)["AccountManager1Commission"] == 2.5
    run_program("recipes", "delete", "shop")
    assert answer.told["recipe"] == run_program("show").told["recipe"] == "shop"
    assert 'Kundennr = "CustomerId"' in run_program("recipes", "show", answer.told["run"]).told["text"]


def test_a_retry_sends_what_the_run_had_read_whatever_became_of_the_recipe(make_sandbox, run_program, shop, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST: ["error-500"] * 2}))
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    run_program("run", shop, "--yes", "-o", tmp_path / "r.xlsx", max_attempts=2, retry_wait=0)
    path = run_program.state / "recipes" / "shop.toml"
    path.write_text(path.read_text().replace('"BusinessName"', '"Comments"'))
    assert run_program("retry", "--yes").counts == {"updated": 1}
    assert (sandbox.customer(FIRST)["BusinessName"], sandbox.customer(FIRST)["Comments"] == "A") == ("A", False)


def test_a_plan_does_not_hold_for_a_changed_recipe(run_program, sandbox, shop, tmp_path):
    plan = tmp_path / "plan.json"
    assert run_program("check", shop, "--plan", plan).exit_code == ExitCode.DONE
    path = run_program.state / "recipes" / "shop.toml"
    path.write_text(path.read_text().replace("Firma = ", "# firm\nFirma = "))
    assert run_program("run", shop, "--yes", "--plan", plan, "--dry-run").exit_code == ExitCode.DONE, "a comment"
    run_program("check", shop, "--plan", plan)
    path.write_text(path.read_text().replace('"BusinessName"', '"Comments"'))
    refused = run_program("run", shop, "--yes", "--plan", plan)
    assert refused.exit_code == ExitCode.FILE_REFUSED
    assert "the recipe differs, or was changed" in refused.err
    assert find_puts(sandbox) == []


def test_key_and_policy_of_a_recipe_count_at_night_and_for_corrected_rows(run_program, sandbox, tmp_path):
    emails = [(sandbox.customer(FIRST + at) or {})["Email"] for at in range(2)]
    lines = [
        ["Mail", "Anrede", "Fax"],
        [emails[0], "Dr.", "1"],
        [emails[1], "Prof.", "2"],
        ["no@one.example", "Mr", "3"],
    ]
    sheet = write_csv(tmp_path / "list.csv", lines)
    saved = run_program("recipes", "save", "list", sheet, "--key", "Mail", "--map", "Anrede=Title",
                        "--write-policy", "Fax=never", "--everyone")  # fmt: skip
    assert saved.exit_code == ExitCode.DONE, saved.err
    assert run_program("match", sheet).told["matches"] == {"matched": 2, "no match": 1}
    folder = tmp_path / "night"
    (folder / "inbox").mkdir(parents=True)
    (folder / "inbox" / "list.csv").write_bytes(sheet.read_bytes())
    write_csv(folder / "inbox" / "plain.csv", [["CustomerId", "Name"], [FIRST + 3, "N"]])
    fax = sandbox.customer(FIRST)["Fax"]
    night = run_program("nightly", folder, "--settle", 0, "--invalid", "skip", json=False)
    assert night.exit_code == ExitCode.INCOMPLETE, night.err
    assert [sandbox.customer(FIRST + at)[name] for at, name in ((0, "Title"), (1, "Title"), (3, "Name"))] == [
        "Dr.", "Prof.", "N",
    ]  # fmt: skip
    assert sandbox.customer(FIRST)["Fax"] == fax
    to_fix = next((folder / "reports").glob("*to-fix*"))
    assert run_program("check", to_fix).told["recipe"] == "list", "the id that was found is a column besides"


def test_a_run_with_since_last_leaves_out_what_was_sent_by_the_recipe(run_program, sandbox, shop, tmp_path):
    """The same sheet by another recipe is not what was sent."""
    assert run_program("run", shop, "--yes", "-o", tmp_path / "1.xlsx").counts == {"updated": 2}
    again = run_program("run", shop, "--yes", "--since-last", "-o", tmp_path / "2.xlsx")
    assert again.counts == {"unchanged": 2}
    path = run_program.state / "recipes" / "shop.toml"
    path.write_text(path.read_text().replace('"BusinessName"', '"Comments"'))
    other = run_program("run", shop, "--yes", "--since-last", "-o", tmp_path / "3.xlsx")
    assert other.counts == {"updated": 2}
    assert sandbox.customer(FIRST)["Comments"] == "A"


def test_resume_sends_what_the_run_had_read_whatever_became_of_the_recipe(make_sandbox, run_program, shop, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST: ["error-500"] * 2}))
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    limits = {"max_attempts": 2, "retry_wait": 0, "max_failures": 1, "concurrency": 1}
    stopped = run_program("run", shop, "--yes", "-o", tmp_path / "r.xlsx", **limits)
    assert stopped.exit_code == ExitCode.STOPPED
    path = run_program.state / "recipes" / "shop.toml"
    path.write_text(path.read_text().replace('"BusinessName"', '"Comments"'))
    resumed = run_program("resume", stopped.told["run"])
    assert (resumed.counts, resumed.told["recipe"]) == ({"updated": 2}, "shop")
    assert (sandbox.customer(FIRST)["BusinessName"], sandbox.customer(FIRST)["Comments"] == "A") == ("A", False)
