"""What the commands print with `--json` is what the schema says, and nothing that it does not describe."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

import bulkupdate
from bulkupdate.cli.main import SHORT_HELPS, cli
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import FIRST, Program, write_csv, write_sheet
from tests.remote.web_server import answer, serve_web

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads(Path(bulkupdate.__file__).with_name("json_output.schema.json").read_text(encoding="utf-8"))


def close(schema: Any) -> Any:
    """The schema without leave for keys that it does not describe."""
    if isinstance(schema, list):
        return [close(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    return closed | ({"additionalProperties": False} if isinstance(closed.get("properties"), dict) else {})


def require_valid(command: str, out: str) -> None:
    schema = close(SCHEMA) | {"anyOf": [{"$ref": f"#/$defs/{command}"}]}
    assert out
    for line in out.splitlines():
        Draft202012Validator(schema).validate(json.loads(line))


def load_script() -> Any:
    spec = importlib.util.spec_from_file_location("json_schema", ROOT / "docs" / "json_schema.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_schema_is_that_of_the_types() -> None:
    """To fix: python docs/json_schema.py."""
    assert load_script().format_schema() == load_script().PATH.read_text(encoding="utf-8")
    Draft202012Validator.check_schema(SCHEMA)


def test_the_example_of_the_page_is_what_the_schema_says() -> None:
    example = (ROOT / "docs" / "json.md").read_text(encoding="utf-8").partition("```json\n")[2].partition("```")[0]
    require_valid("run", json.dumps(json.loads(example)))


def test_every_command_that_has_json_is_described() -> None:
    with click.Context(cli) as context:
        commands = {name: cli.get_command(context, name) for name in SHORT_HELPS}
    have_json = {name for name, each in commands.items() if any(part.name == "as_json" for part in each.params)}
    assert load_script().COMMANDS.keys() == have_json - {"serve"}  # it serves until it is stopped


@pytest.mark.long
def test_each_command_prints_what_the_schema_says(run_program: Program, sandbox: Sandbox, tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "a.csv", 3)
    invalid = write_csv(tmp_path / "bad.csv", [["CustomerId", "Email"], [FIRST, "nobody"], [99, "a@example.com"]])
    emails = write_csv(tmp_path / "emails.csv", [["Email", "Name"], [sandbox.customer(FIRST)["Email"], "x"]])
    lookup = write_csv(tmp_path / "l.csv", [["CustomerId", "Email"], [FIRST, sandbox.customer(FIRST)["Email"]]])
    (tmp_path / "night" / "inbox").mkdir(parents=True)
    write_sheet(tmp_path / "night" / "inbox" / "b.csv", 2)
    (tmp_path / "night" / "inbox" / ".hidden").touch()
    calls = [
        ("template",), ("template",), ("template", "--nonsense"),
        ("check", sheet), ("check", sheet, "--live", "-o", "r.xlsx"), ("check", invalid), ("check", "nowhere.csv"),
        ("run", invalid, "--yes"), ("run", sheet, "--yes", "--snapshot"), ("run", sheet), ("run", sheet, "--dry-run"),
        ("run", invalid, "--yes", "--skip-invalid"), ("resume",), ("resume", "none"), ("retry",), ("runs",),
        ("show",), ("show", "none"), ("show", "-o", "again.csv"), ("show", "--rows", "-o", "rows.jsonl"),
        ("history", FIRST), ("history", 1),
        ("stop",), ("store", "migrate", "--to", "files"),
        ("match", emails, "--key", "Email", "--lookup", lookup), ("match", emails, "--key", "Email"),
        ("export", "--ids", sheet, "-o", "e.xlsx"), ("export", "--ids", invalid, "-o", "e2.xlsx"),
        ("nightly", tmp_path / "night"), ("nightly", tmp_path / "missing"), ("audit",), ("doctor", "--facts"),
        ("recipes",), ("recipes", "save", "mine", invalid), ("recipes",), ("recipes", "show", "mine"),
        ("recipes", "delete", "mine"),
        ("doctor",), ("doctor", "--nightly", tmp_path / "night"), ("purge", "--older-than", "x"),
        ("doctor", "--restore"),
        ("doctor", "--nightly", "sftp://127.0.0.1:1/night"), ("doctor", "--nightly", "https://127.0.0.1/night"),
    ]  # fmt: skip
    seen: dict[str, set[int]] = {}
    for command, *arguments in calls:
        done = run_program(command, *arguments)
        require_valid(command, done.out)
        seen.setdefault(command, set()).add(done.exit_code)
    run_id = next(each["run"] for each in run_program("runs").told if each["file"] == str(sheet))
    for arguments in (("undo", run_id), ("undo", "none"), ("undo", run_id, "--run", "--yes")):
        require_valid("undo", run_program(*arguments).out)
    with serve_web() as web:
        web.answers = {"/ids.csv": answer(sheet.read_bytes()), "/lookup.csv": answer(lookup.read_bytes())}
        for command, *arguments in (
            ("check", web.url("/ids.csv")), ("export", "--ids", web.url("/ids.csv"), "-o", "e3.csv"),
            ("match", emails, "--key", "Email", "--lookup", web.url("/lookup.csv")), ("check", web.url("/none.csv")),
        ):  # fmt: skip
            require_valid(command, run_program(command, *arguments).out)
    require_valid("purge", run_program("purge", "--older-than", "0").out)
    require_valid("doctor", run_program("doctor", password="wrong").out)
    require_valid("run", run_program("run", sheet, "--yes", password="wrong").out)
    assert seen["check"] == {0, 1, 3}
    assert load_script().COMMANDS.keys() == seen.keys() | {"undo"}
