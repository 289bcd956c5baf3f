"""`setup`: ask for the connection, store it, and try it."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.commands.doctor import examine
from bulkupdate.cli.console import Console, print_text
from bulkupdate.cli.invocation import Invocation
from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode, UsageError
from bulkupdate.files import replace_file
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.base_url import TeamLookup, find_base_url
from bulkupdate.settings import CONFIG_NAME, Settings
from bulkupdate.settings_file import Value, change_settings, format_sample, format_setting
from bulkupdate.settings_sources import list_overrides, load_settings, read_settings_text, user_config_path
from bulkupdate.system_keyring import has_keyring, store_keyring_password
from bulkupdate.text import SuggestedCommand, is_utf8

_LOOKUP_ATTEMPTS = 2


@dataclass(frozen=True)
class _Connection:
    base_url: str
    username: str
    password: Secret


@click.command(
    "setup",
    cls=Command,
    examples={
        "": "Ask for team, login and password, store them, and sign in once.",
        "--print": f"Print a sample {CONFIG_NAME}, with every setting as a comment.",
    },
)
@option("--print", "is_sample", is_flag=True, help="Print a sample settings file instead of asking.")
@option("--config", type=click.Path(path_type=Path), help="The settings file to write; without it: your own.")
@click.pass_obj
def command(invocation: Invocation, is_sample: bool, config: Path | None) -> int:
    """Ask for the connection, store it for your user, and sign in once to try it."""
    if is_sample:
        print_text(format_sample())
        return ExitCode.DONE
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on: nothing was stored.",
            remedy=f"Print a sample settings file instead: bulkupdate setup --print > {CONFIG_NAME}",
        )
    path, console = config or user_config_path(), invocation.console
    if path.exists() and not _confirm(f"{path} exists. Change the connection in it and keep everything else?"):
        return ExitCode.FILE_REFUSED
    connection = _ask_connection()
    _store(path, connection, console)
    for name in list_overrides(config):
        console.warn(f"{name} takes precedence over the settings stored now.")
    invocation.settings = load_settings({}, config=config)
    exit_code = examine(invocation)
    if exit_code != ExitCode.DONE:
        again = SuggestedCommand("setup", *(("--config", config) if config else ()))
        console.info(f"To correct the connection: {again}")
    return exit_code


def _ask_connection() -> _Connection:
    base_url = _find_address(_ask("Team name, server (the xx of https://xx.api.sellercloud.com) or whole address"))
    username = _ask("Login name")
    password = _ask("Password (not shown)", is_hidden=True)
    return _Connection(base_url, username, Secret(password))


def _ask(question: str, *, is_hidden: bool = False) -> str:
    """Return what the user types, never an empty text."""
    text: str = click.prompt(question, hide_input=is_hidden, err=True)
    if not is_utf8(text) or "\0" in text:
        raise UsageError("The answer holds bytes that are not UTF-8 text.", remedy="Set the terminal to UTF-8.")
    return text if is_hidden else text.strip()


def _find_address(answer: str) -> str:
    """Return the base URL. One word is looked up as a team; it is a server id only if the user says so."""
    settings = Settings(max_attempts=_LOOKUP_ATTEMPTS)
    look_up = TeamLookup(settings, clock=Clock(), stop=threading.Event())
    if "." in answer or ":" in answer:
        return find_base_url(Settings(base_url=answer), look_up)
    try:
        return find_base_url(Settings(team=answer), look_up)
    except BulkUpdateError as error:
        try:
            server = find_base_url(Settings(server_id=answer), look_up)
        except UsageError:
            raise error from None
        click.echo(error, err=True)
        if not _confirm(f"Use {server} instead?"):
            raise
        return server


def _store(path: Path, connection: _Connection, console: Console) -> None:
    """Store the password in the keyring or in a file of its own, and the rest in the settings file."""
    in_keyring = has_keyring() and _confirm("Store the password in the keyring of this system?", is_usual=True)
    password_path = path.absolute().with_name(f"{path.stem}-password")
    changes: dict[str, Value | None] = dict.fromkeys(("server_id", "team", "password"))
    changes |= {"base_url": connection.base_url, "username": connection.username}
    changes |= {"password_keyring": in_keyring or None, "password_file": None if in_keyring else str(password_path)}
    text = change_settings(path, changes)
    if in_keyring:
        store_keyring_password(connection.base_url, connection.username, connection.password.reveal())
    else:
        is_own = path.exists() and format_setting("password_file", str(password_path)) in read_settings_text(path)
        _write_password(password_path, connection.password, is_own=is_own)
    _write(path, text)
    console.info(f"Settings: {path}. Password: {'the keyring of this system' if in_keyring else password_path}.")


def _write_password(path: Path, password: Secret, *, is_own: bool) -> None:
    if path.exists() and not is_own and not _confirm(f"{path} exists. Replace it?"):
        raise UsageError(
            f"{path} was left as it is, and nothing was stored.", remedy="Name another settings file with --config."
        )
    _write(path, password.reveal())


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read. Raises `UsageError` if that is not possible."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {path.parent} cannot be created: {error.strerror}.") from error
    with replace_file(path) as stream:
        stream.write(text.encode())


def _confirm(question: str, *, is_usual: bool = False) -> bool:
    return click.confirm(question, default=is_usual, err=True)
