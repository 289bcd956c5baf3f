"""Command line, environment and file into one frozen object. Secrets never show in its `repr`.

`SETTINGS` is the table: command-line options, environment names and the README's table are derived from it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

import platformdirs

from bulkupdate.errors import UsageError

APP = "bulkupdate"
CONFIG_NAME = "bulkupdate.toml"
ENVIRONMENT_PREFIX = "BULKUPDATE_"


class Secret:
    """A text that shows itself to nobody but who asks with `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _setting(default: Any, help_text: str, *, least: float | None = None, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help_text, "least": least, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """All settings of one call. An empty text or None means: not set."""

    base_url: str = _setting("", "address of the service: https://xx.api.sellercloud.com/rest/api")
    server_id: str = _setting("", "the xx of that address, instead of the base URL")
    team: str = _setting("", "team name, instead of both: the address is looked up")
    username: str = _setting("", "login name")
    password: Secret = _setting(Secret(""), "password of the login")
    password_file: str = _setting("", "file that holds the password, instead of the password itself")
    state_dir: Path = _setting(Path(platformdirs.user_state_dir(APP)), "folder of the journal, quota and history")
    requests_per_hour: int = _setting(10_800, "the quota: requests in any 60 minutes; 0 = no limit", least=0)
    concurrency: int = _setting(8, "requests in flight", least=1)
    timeout: float = _setting(30.0, "seconds for one request", least=0.001)
    max_attempts: int = _setting(5, "tries for one row", least=1)
    retry_wait: float = _setting(1.0, "first back-off in seconds; doubles, with jitter, up to 60", least=0)
    max_failures: int = _setting(20, "stop after so many rows in a row failed", least=1)
    rating_format: str = _setting("name", "a rating is sent by name or by code", choices=("name", "code"))
    wholesale_needs_business_name: bool = _setting(
        False, "whether the vendor's client setting 'Enable Required Fields for WholeSale Customers' is on"
    )
    max_rows: int = _setting(1_048_576, "rows a sheet may have", least=1)
    max_cells: int = _setting(50_000_000, "cells a sheet may have", least=1)
    max_unpacked_bytes: int = _setting(1_073_741_824, "bytes an Excel file may unpack to", least=1)
    admins: str = _setting("", "upload page: login names that see everybody's runs, separated by commas")
    approval: str = _setting(
        "none", "upload page: required = one person uploads, another starts", choices=("none", "required")
    )
    upload_bytes: int = _setting(52_428_800, "upload page: bytes an upload may have, the form included", least=1)
    session_minutes: float = _setting(30.0, "upload page: minutes until an idle session ends", least=0.01)
    upload_days: float = _setting(30.0, "upload page: days until uploaded sheets and their reports go", least=0.001)
    notify: str = _setting("always", "after which files people are told", choices=("always", "problems", "never"))
    mail_host: str = _setting("", "mail server (SMTP) that takes the notices; none: no mail")
    mail_port: int = _setting(0, "its port; 0 = the usual one: 587, with tls 465, with none 25", least=0)
    mail_security: str = _setting("starttls", "how mail is kept from others' eyes", choices=("starttls", "tls", "none"))
    mail_username: str = _setting("", "login of the mail server; none: no login")
    mail_password: Secret = _setting(Secret(""), "password of that login")
    mail_password_file: str = _setting("", "file that holds it, instead of the password itself")
    mail_from: str = _setting("", "address that notices come from")
    mail_to: str = _setting("", "addresses that notices go to, separated by commas")
    mail_attach_bytes: int = _setting(5_000_000, "bytes of results to attach at most; more are only named", least=0)
    webhook_url: Secret = _setting(Secret(""), "address that notices are posted to as JSON (Slack and its like)")
    heading_map: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "own headings: heading = field, the table [map] of the file"}
    )

    def require_connection(self) -> None:
        """Raise `UsageError` naming every setting that is missing to reach the service."""
        missing = []
        if not (self.base_url or self.server_id or self.team):
            missing.append("BULKUPDATE_BASE_URL (or BULKUPDATE_SERVER_ID, or BULKUPDATE_TEAM)")
        if not self.username:
            missing.append("BULKUPDATE_USERNAME")
        if not self.password:
            missing.append("BULKUPDATE_PASSWORD (or BULKUPDATE_PASSWORD_FILE)")
        if missing:
            raise UsageError(
                f"To reach the service, {'this setting is' if len(missing) == 1 else 'these settings are'} missing: "
                f"{', '.join(missing)}.",
                remedy=f"Set it in the environment or in {CONFIG_NAME}; `bulkupdate doctor` tells when all is well.",
            )

    def describe(self) -> dict[str, str]:
        """Every setting as text, for results and journal; secrets and what could hold them are left out."""
        left_out = SECRETS | _PAGE_SETTINGS | _NOTICE_SETTINGS | {"password_file", "state_dir", "heading_map"}
        described = {each.name: str(getattr(self, each.name)) for each in fields(self) if each.name not in left_out}
        described["base_url"] = without_credentials(self.base_url)
        return described


_NOTICE_SETTINGS = {
    "notify", "mail_host", "mail_port", "mail_security", "mail_username", "mail_password_file", "mail_from", "mail_to",
    "mail_attach_bytes",
}  # fmt: skip
"""Those of the nightly folder's notices: nor do they."""

_PAGE_SETTINGS = {"admins", "approval", "upload_bytes", "session_minutes", "upload_days"}
"""The upload page's own: they change nothing in a run."""

SETTINGS = tuple(each for each in fields(Settings) if each.name != "heading_map")
"""Every setting that has a name in the environment."""

SECRETS = frozenset(each.name for each in SETTINGS if each.type == Secret.__name__)
"""The settings that are shown to nobody, and never given on the command line, where all on the machine see them."""


def without_credentials(url: str) -> str:
    """The address without a user name and password that someone wrote into it."""
    parts = urlsplit(url)
    return url if "@" not in parts.netloc else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def environment_name(name: str) -> str:
    """The environment variable of a setting: `BULKUPDATE_BASE_URL` for `base_url`."""
    return ENVIRONMENT_PREFIX + name.upper()


def load_settings(
    command_line: Mapping[str, Any], environment: Mapping[str, str] = os.environ, config: Path | None = None
) -> Settings:
    """The settings in force: command line over environment over file.

    `command_line` holds what was given there; None means not given. `config` is the file to read; None means
    `bulkupdate.toml` in the working folder, else in the user's config folder, else none.

    Raises `UsageError` for a value that makes no sense, naming where it was set.
    """
    file_path, from_file = _read_config(config)
    known = {each.name for each in SETTINGS}
    unknown = set(from_file) - known - {"map"}
    if unknown:
        raise UsageError(f"{file_path} has a setting nobody knows: {', '.join(sorted(unknown))}.")
    given: dict[str, Any] = {}
    for each in SETTINGS:
        variable = environment_name(each.name)
        if command_line.get(each.name) is not None:
            given[each.name] = _convert(each.name, command_line[each.name], f"--{each.name.replace('_', '-')}")
        elif environment.get(variable):
            given[each.name] = _convert(each.name, environment[variable], variable)
        elif each.name in from_file:
            given[each.name] = _convert(each.name, from_file[each.name], f"{each.name} in {file_path}")
    given["heading_map"] = {str(heading): str(name) for heading, name in from_file.get("map", {}).items()}
    for name in ("password", "mail_password"):
        if given.get(f"{name}_file") and not given.get(name):
            given[name] = _read_secret(Path(given[f"{name}_file"]))
    return Settings(**given)


def _read_config(config: Path | None) -> tuple[Path | None, dict[str, Any]]:
    candidates = [config] if config else [Path(CONFIG_NAME), Path(platformdirs.user_config_dir(APP)) / CONFIG_NAME]
    for path in candidates:
        if config is None and not path.is_file():
            continue
        try:
            return path, tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"The settings file {path} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"The settings file {path} is not valid TOML: {error}.") from error
    return None, {}


def _read_secret(path: Path) -> Secret:
    try:
        return Secret(path.read_text(encoding="utf-8").strip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The password file {path} cannot be read: {error}.") from error


_TYPES = get_type_hints(Settings)
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _convert(name: str, value: Any, where: str) -> Any:
    """A setting's text to its type; `where` names its place in the error."""
    target = _TYPES[name]
    meta = next(each for each in SETTINGS if each.name == name).metadata
    text = str(value).strip()
    try:
        converted = _BOOLEANS[text.casefold()] if target is bool else target(text if target is not Secret else value)
    except (ValueError, KeyError):
        raise UsageError(f"{where} is {text!r}; it must be {_describe(target)}.") from None
    if meta["choices"] and converted not in meta["choices"]:
        raise UsageError(f"{where} is {text!r}; it must be one of: {', '.join(meta['choices'])}.")
    if meta["least"] is not None and not converted >= meta["least"]:
        raise UsageError(f"{where} is {text}; it must be at least {meta['least']}.")
    if target is Path:
        return Path(text).expanduser()
    return converted


def _describe(target: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(target, "text")


def default_of(name: str) -> Any:
    """A setting's default, for help texts."""
    default = next(each.default for each in SETTINGS if each.name == name)
    return None if default is MISSING else default
