"""Write the tables of the documentation from the code: `python docs/tables.py`. A test compares them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bulkupdate.cli.main import SHORT_HELPS
from bulkupdate.customers.fields import FIELDS
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import ExitCode
from bulkupdate.runs.tenant.facts import FACTS
from bulkupdate.settings import SETTINGS, default_of, environment_name

ROOT = Path(__file__).parents[1]


def _table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def list_fields() -> str:
    """Return the field table."""
    rows = [
        [f"`{field.name}`", field.type.label, f"`{field.example}`", "yes" if field.is_clearable else "", field.help]
        for field in FIELDS
    ]
    return _table(["heading", "holds", "example", "`<clear>`", "meaning"], rows)


def list_commands() -> str:
    """Return every command with its line of help."""
    rows = [[f"`bulkupdate {name}`", short_help] for name, short_help in sorted(SHORT_HELPS.items())]
    return _table(["command", "does"], rows)


def list_settings() -> str:
    """Return every setting with its default."""
    rows = [[f"`{environment_name(each.name)}`", each.metadata["help"], _show_default(each.name)] for each in SETTINGS]
    return _table(["environment", "meaning", "default"], rows)


def list_exit_codes() -> str:
    """Return every exit code."""
    meanings = {
        ExitCode.DONE: "every row updated or unchanged",
        ExitCode.INCOMPLETE: "finished, but some rows were not; `check` and `--dry-run`: some rows are invalid",
        ExitCode.USAGE: "the command was used wrongly, or a setting is missing",
        ExitCode.FILE_REFUSED: "nothing was sent: the file was refused (unreadable, invalid rows without "
        "`--skip-invalid`, or beyond a limit), or the question was answered with no",
        ExitCode.STOPPED: "stopped early (sign-in refused, service down, too many failures, canary disagreed …): "
        "`resume` continues; or the results or the output could not be written",
        ExitCode.BUSY: "another process is working on this run or folder",
        ExitCode.INTERRUPTED: "interrupted: what was in flight was recorded, `resume` continues",
    }
    return _table(["code", "meaning"], [[str(int(code)), meanings[code]] for code in ExitCode])


def list_unknowns() -> str:
    """Return what is not known about the real service, what settles it, and the sandbox's option that imitates it."""
    rows = [
        [_escape(fact.question), f"`{fact.step}`" if fact.step.startswith("doctor") else fact.step,
         f"`--{fact.switch.replace('_', '-')}`" if fact.switch else "", f"`{fact.setting}`" if fact.setting else ""]
        for fact in FACTS
    ]  # fmt: skip
    headings = ["what is not known", "settled by", "option of `bulkupdate sandbox`", "setting that follows"]
    return _table(headings, rows)


def list_problems() -> str:
    """Return every problem code."""
    rows = [
        [f"`{code}`", *(_escape(text) for text in (code.label, code.explanation, code.remedy))] for code in ProblemCode
    ]
    return _table(["code", "title", "what is wrong", "how to fix it"], rows)


def _escape(text: str) -> str:
    """Return a text in which Markdown does not take `<clear>` for HTML."""
    return text.replace("<clear>", "`<clear>`")


def _show_default(name: str) -> str:
    default = default_of(name)
    if name == "state_dir":
        return "the platform's per-user state folder"
    return "" if default in ("", None) or "Secret" in repr(default) else str(default).lower()


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {
        "fields": list_fields,
        "commands": list_commands,
        "settings": list_settings,
        "exit-codes": list_exit_codes,
        "unknowns": list_unknowns,
    },
    "docs/problems.md": {"problems": list_problems},
}


def fill(page: str) -> str:
    """Return a page with the tables between its marks replaced."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, make in PAGES[page].items():
        opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(opening)
        _, found, after = rest.partition(closing)
        if not found:
            raise ValueError(f"{page} has no place for the table {name}")
        text = f"{before}{opening}{make()}\n{closing}{after}"
    return text


if __name__ == "__main__":
    for each in PAGES:
        (ROOT / each).write_text(fill(each), encoding="utf-8")
