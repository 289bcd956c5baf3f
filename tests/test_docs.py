"""The README says what the program does: its tables are made from the code, its session is the demo's."""

import importlib.util
import re
from pathlib import Path

import click

from bulkupdate.cli.main import SHORT_HELPS, cli
from bulkupdate.customers.models import Status
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import BulkUpdateError
from bulkupdate.runs.reporting.run_report import name_error

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tables_are_those_of_the_code():
    """To fix: python docs/tables.py."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for page in tables.PAGES:
        assert tables.fill(page) == (ROOT / page).read_text(encoding="utf-8")


def test_every_status_is_explained():
    for status in Status:
        assert f"| `{status.value}` |" in README


def test_every_code_of_an_error_is_listed():
    def list_classes(parent):
        return [parent, *(found for child in parent.__subclasses__() for found in list_classes(child))]

    errors = [error("…") for error in list_classes(BulkUpdateError)[1:]]
    assert {name_error(error) for error in errors} <= set(ProblemCode)


def test_every_problem_code_is_used():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bulkupdate").rglob("*.py"))
    for code in ProblemCode:
        error_class = f"class {code.value.title().replace('-', '')}Error("
        assert f"ProblemCode.{code.name}" in source or error_class in source, code


def test_every_command_has_a_help_and_every_option_too():
    context = click.Context(cli)
    for name in SHORT_HELPS:
        command = cli.get_command(context, name)
        assert command.help, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, (name, parameter.name)


def test_links_and_pictures_of_the_docs_exist():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def test_the_files_that_the_architecture_names_exist():
    """A bare name is in the folder named before it on its line."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for line in page.partition("## Where to find")[2].splitlines():
        folder = ROOT / "bulkupdate"
        for name in re.findall(r"`([\w/]+\.py)`", line):
            folder = (ROOT / "bulkupdate" / name).parent if "/" in name else folder
            assert (folder / Path(name).name).is_file(), (line, name)


def test_the_template_of_the_repository_is_what_the_command_writes(tmp_path):
    """To fix: bulkupdate template -o templates/customers.xlsx --force (and .csv)."""
    from bulkupdate.spreadsheets.writing.template_sheet import write_template

    for name in ("customers.xlsx", "customers.csv"):
        write_template(tmp_path / name)
        assert (tmp_path / name).read_bytes() == (ROOT / "templates" / name).read_bytes()
