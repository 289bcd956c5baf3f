"""The main job, end to end: a sheet becomes updates and results. The program whole, the real sandbox, over HTTP."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from openpyxl import load_workbook

from bulkupdate.cli.main import run_cli
from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.field_types import ALIASES
from bulkupdate.customers.fields import CLEAR, FIELDS, UPDATABLE
from bulkupdate.customers.value_types import RATING, RATINGS
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.text import quote_argument

PROJECT = Path(__file__).parents[1]
SAMPLES = PROJECT / "bulkupdate" / "sample_data"


@pytest.fixture
def sandbox():
    with Sandbox(SandboxOptions(customers=300)) as running:
        yield running


@pytest.fixture
def program(sandbox, tmp_path, monkeypatch, capsys):
    """Call the program as in a terminal-less shell; returns exit code and the object of `--json`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BULKUPDATE_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("BULKUPDATE_USERNAME", sandbox.options.username)
    monkeypatch.setenv("BULKUPDATE_PASSWORD", sandbox.options.password)
    monkeypatch.setenv("BULKUPDATE_STATE_DIR", str(tmp_path / "state"))

    def call(*arguments: object):
        exit_code = run_cli([*map(str, arguments), "--json"])
        return exit_code, json.loads(capsys.readouterr().out)

    return call


def puts(sandbox):
    return [request for request in sandbox.requests if request.method == "PUT"]


def bodies(sandbox):
    """The bodies received, in the order of the customers: several are in flight at once."""
    return {request.customer_id: bytes(request.body) for request in puts(sandbox)}


def rows_of(path, sheet):
    rows = load_workbook(path)[sheet].iter_rows(values_only=True)
    headings = next(rows)
    return [dict(zip(headings, row, strict=False)) for row in rows]


def copy_sample(name, tmp_path):
    target = tmp_path / name
    target.write_bytes((SAMPLES / name).read_bytes())
    return target


def read_sample():
    with (SAMPLES / "customers.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{name: re.sub("^'(?=[-=+@])", "", text) for name, text in row.items()} for row in rows]


def get_field(sandbox, token, customer_id):
    """One customer over GET, as (field → value) read through the table's places."""
    answer = requests.get(
        f"{sandbox.base_url}/Customers/{customer_id}", headers={"Authorization": f"Bearer {token}"}, timeout=5
    )
    body = json.loads(answer.text, parse_float=Decimal)
    return {field.name: body[field.group].get(field.get_name) for field in UPDATABLE}


def sign_in(sandbox):
    login = {"Username": sandbox.options.username, "Password": sandbox.options.password}
    return requests.post(f"{sandbox.base_url}/token", json=login, timeout=5).json()["access_token"]


def expected(field, text):
    """What the service should hold after this cell."""
    if text == CLEAR:
        return [None, "", []]
    value = parse_cell(field, text).value
    if field.type is ALIASES:
        return [list(value)]
    return [value, RATINGS[value]] if field.type is RATING else [value]


def test_the_good_sheet_changes_what_it_says_and_nothing_else(program, sandbox, tmp_path):
    sheet = copy_sample("customers.xlsx", tmp_path)
    rows = read_sample()
    before = {row["CustomerId"]: get_field(sandbox, sign_in(sandbox), row["CustomerId"]) for row in rows}
    sandbox.reset_log()

    exit_code, told = program("run", sheet, "--yes", "-o", "out.xlsx")

    assert exit_code == told["exit_code"] == 0
    assert told["counts"] == {"updated": 198, "unchanged": 2}
    assert told["next"] is None
    assert len(puts(sandbox)) == 198
    assert told["calls"] == 199 == len(sandbox.requests), "one PUT a row and one sign-in"
    token = sign_in(sandbox)
    for row in rows:
        live = get_field(sandbox, token, row["CustomerId"])
        for field in UPDATABLE:
            text = row[field.name]
            wanted = expected(field, text) if text else [before[row["CustomerId"]][field.name]]
            assert live[field.name] in wanted, (row["CustomerId"], field.name)


def test_results_say_of_each_row_what_became_of_it(program, sandbox, tmp_path):
    _, told = program("run", copy_sample("customers.xlsx", tmp_path), "--yes", "-o", "out.xlsx")
    results = rows_of(told["results"], "Results")
    assert [line["Row"] for line in results] == list(range(2, 202))
    statuses = [line["Status"] for line in results]
    assert {status: statuses.count(status) for status in set(statuses)} == told["counts"]
    first = results[0]
    assert first["HttpStatus"] == 200
    assert first["Attempts"] == 1
    assert first["FieldsSent"].split(", ") == [field.name for field in UPDATABLE]
    assert first["FinishedAt"].endswith("Z")
    summary = load_workbook(told["results"])["Summary"].iter_rows(values_only=True)
    assert {str(label): value for label, value, *_ in summary}["Run"] == told["run"]
    assert not Path("out-to-fix.xlsx").exists()


def test_csv_and_excel_send_the_same_bodies(program, sandbox, tmp_path):
    program("run", copy_sample("customers.xlsx", tmp_path), "--yes", "-o", "a.xlsx")
    from_excel = bodies(sandbox)
    sandbox.reset_log()
    program("run", copy_sample("customers.csv", tmp_path), "--yes", "-o", "b.xlsx")
    assert bodies(sandbox) == from_excel


def test_the_preview_is_byte_for_byte_what_run_sends(program, sandbox, tmp_path):
    sheet = copy_sample("customers.xlsx", tmp_path)
    exit_code, _ = program("check", sheet, "-o", "report.xlsx")
    assert exit_code == 0
    assert sandbox.requests == (), "a dry run sends no request at all"
    preview = {str(line["CustomerId"]): line["Body"].encode() for line in rows_of("report.xlsx", "Preview")}
    program("run", sheet, "--yes", "-o", "out.xlsx")
    assert {str(customer): body for customer, body in bodies(sandbox).items()} == preview


@pytest.mark.parametrize("command", [["check"], ["run", "--dry-run"]])
def test_a_dry_run_needs_no_service_and_says_what_is_wrong(program, sandbox, tmp_path, monkeypatch, command):
    monkeypatch.setenv("BULKUPDATE_BASE_URL", "")
    exit_code, told = program(*command, copy_sample("problems.xlsx", tmp_path), "-o", "report.xlsx")
    assert exit_code == 1
    assert sandbox.requests == ()
    assert told["run"] is None
    assert told["counts"]["invalid"] == 20
    problems = rows_of("report.xlsx", "Problems")
    assert len(problems) == len(told["problems"])
    assert Path("report-annotated.xlsx").exists()


def test_the_problem_sheet_sends_nothing(program, sandbox, tmp_path):
    exit_code, told = program("run", copy_sample("problems.xlsx", tmp_path), "--yes")
    assert exit_code == told["exit_code"] == 3
    assert puts(sandbox) == []
    assert told["next"].startswith("bulkupdate check ")
    assert {problem["code"] for problem in told["problems"]} >= {
        "email", "yes-or-no", "thousands-separator", "negative", "decimal-mark", "percent", "rating", "clear-refused",
        "scientific", "error-cell", "aliases", "customer-id", "no-customer-id", "duplicate",
    }  # fmt: skip


def test_skip_invalid_sends_the_valid_rows_and_the_to_fix_file_has_the_rest(program, sandbox, tmp_path):
    exit_code, told = program(
        "run", copy_sample("problems.xlsx", tmp_path), "--yes", "--skip-invalid", "-o", "out.xlsx"
    )
    assert exit_code == told["exit_code"] == 1
    assert told["counts"] == {"updated": 2, "invalid": 20}
    assert sorted(str(request.customer_id) for request in puts(sandbox)) == ["100018", "100019"]
    to_fix = rows_of("out-to-fix.xlsx", "Customers")
    assert len(to_fix) == 20
    assert list(to_fix[0]) == ["Row", "Reason", "How to fix", *(field.name for field in FIELDS)]
    assert told["next"] == f"bulkupdate run {quote_argument(tmp_path / 'out-to-fix.xlsx')}"


def test_the_corrected_to_fix_file_sends_only_its_rows(program, sandbox, tmp_path):
    program("run", copy_sample("problems.xlsx", tmp_path), "--yes", "--skip-invalid", "-o", "out.xlsx")
    sandbox.reset_log()
    book = load_workbook("out-to-fix.xlsx")
    sheet = book["Customers"]
    email = [cell.value for cell in sheet[1]].index("Email") + 1
    sheet.cell(2, email).value = "mended@example.com"
    sheet.delete_rows(3, sheet.max_row)
    book.save("mended.xlsx")
    exit_code, told = program("run", "mended.xlsx", "--yes")
    assert exit_code == 0
    assert bodies(sandbox) == {puts(sandbox)[0].customer_id: b'{"Email": "mended@example.com"}'}
    assert told["counts"] == {"updated": 1}


@pytest.mark.parametrize("name", ["out.xlsx", "out.csv"])
def test_results_given_back_send_the_same_values(program, sandbox, tmp_path, name):
    program("run", copy_sample("customers.xlsx", tmp_path), "--yes", "-o", name)
    sent = bodies(sandbox)
    sandbox.reset_log()
    exit_code, _ = program("run", name, "--yes", "-o", "again.xlsx")
    assert exit_code == 0
    assert bodies(sandbox) == sent


def test_a_customer_the_service_does_not_know_is_rejected_and_named(program, sandbox, tmp_path):
    Path("sheet.csv").write_text("CustomerId,Name\n100001,Anna\n999999999,Nobody\n")
    exit_code, told = program("run", "sheet.csv", "--yes", "-o", "out.xlsx")
    assert exit_code == 1
    assert told["counts"] == {"updated": 1, "rejected": 1}
    assert told["next"] == f"bulkupdate run {quote_argument(tmp_path / 'out-to-fix.xlsx')}"
    line = rows_of("out.xlsx", "Results")[1]
    assert (line["HttpStatus"], line["Attempts"]) == (404, 1)
    assert "not found" in line["Message"]


def test_without_a_terminal_run_needs_yes(program, sandbox, tmp_path):
    exit_code, told = program("run", copy_sample("customers.xlsx", tmp_path))
    assert exit_code == told["exit_code"] == 2
    assert puts(sandbox) == []


def test_results_that_could_not_be_written_are_found_before_the_first_request(program, sandbox, tmp_path):
    for place in ("nowhere/out.xlsx", ".", "out.pdf"):
        exit_code, _ = program("run", copy_sample("customers.xlsx", tmp_path), "--yes", "-o", place)
        assert exit_code == 2
    exit_code, _ = program("run", tmp_path / "customers.xlsx", "--yes", "-o", tmp_path / "customers.xlsx")
    assert exit_code == 2, "the results must not overwrite the input"
    assert sandbox.requests == ()


def test_samples_are_what_their_maker_makes(tmp_path):
    subprocess.run([sys.executable, PROJECT / "docs" / "sample_data.py", tmp_path], check=True)
    assert (tmp_path / "customers.csv").read_bytes() == (SAMPLES / "customers.csv").read_bytes()
    for name, sheet in (("customers.xlsx", "Customers"), ("problems.xlsx", "Customers")):
        assert rows_of(tmp_path / name, sheet) == rows_of(SAMPLES / name, sheet)


def test_every_field_type_is_in_use_in_the_good_sample():
    rows = read_sample()
    assert len(rows) == 200
    for field in UPDATABLE:
        texts = [row[field.name] for row in rows]
        assert any(texts)
        assert not all(texts)


def test_demo_ends_well_and_names_the_results_in_a_firm_with_a_proxy(tmp_path):
    """What is sent to this machine never goes to a proxy; nothing listens at this one."""
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(PROJECT), "HTTP_PROXY": "http://127.0.0.1:9",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bulkupdate", "demo"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, summary, results = done.stderr.strip().splitlines()
    assert summary == "Done: 200 rows: 2 unchanged, 198 updated. 199 requests used."
    assert results == f"Results: {tmp_path / 'demo' / 'customers-results.xlsx'}"
    assert len(rows_of(tmp_path / "demo" / "customers-results.xlsx", "Results")) == 200


def test_a_call_that_makes_no_sense_still_answers_with_one_object(program, sandbox):
    exit_code, told = program("run", "sheet.csv", "--bogus")
    assert (exit_code, told["exit_code"], told["problems"][0]["code"]) == (2, 2, "usage")


def test_resume_with_nothing_begun_is_no_success(program, sandbox):
    """A program killed while reading has begun no run: `run … || resume` must not end well with no row sent."""
    exit_code, told = program("resume")
    assert exit_code == told["exit_code"] == 2


@pytest.mark.parametrize("heading", ["Customer No", "ID", "Customer"])
def test_a_sheet_of_something_else_is_not_sent(program, sandbox, tmp_path, heading):
    Path("orders.csv").write_text(f"{heading},Name,Email\n1,A,a@b.de\n")
    exit_code, _ = program("run", "orders.csv", "--yes", "--skip-invalid")
    assert exit_code == 3
    assert sandbox.requests == ()


def test_rows_that_an_open_quotation_mark_may_have_swallowed_are_not_sent(program, sandbox, tmp_path):
    Path("open.csv").write_text('CustomerId,Name\n100001,"Miller, 3\n100002,B\n100003,C "y z"\n100004,"D\n')
    exit_code, told = program("run", "open.csv", "--yes", "--skip-invalid")
    assert exit_code == 1
    assert told["counts"] == {"invalid": 4}
    assert puts(sandbox) == []
