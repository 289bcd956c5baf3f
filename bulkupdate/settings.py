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
from bulkupdate.secret_file import read_secret_file

APP = "bulkupdate"
CONFIG_NAME = "bulkupdate.toml"
ENVIRONMENT_PREFIX = "BULKUPDATE_"


class Secret:
    """A text that shows itself to nobody but who asks with `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _setting(
    default: Any,
    help_text: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    return field(default=default, metadata={"help": help_text, "least": least, "most": most, "choices": choices})


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
    requests_per_hour: int = _setting(
        10_800, "the quota: requests in any 60 minutes; 0 = no limit", least=0, most=1_000_000_000
    )
    concurrency: int = _setting(8, "requests in flight", least=1, most=256)
    timeout: float = _setting(30.0, "seconds for one request", least=0.001, most=3600)
    max_attempts: int = _setting(5, "tries for one row", least=1, most=1000)
    retry_wait: float = _setting(1.0, "first back-off in seconds; doubles, with jitter, up to 60", least=0, most=60)
    max_failures: int = _setting(20, "stop after this many consecutive failed rows", least=1, most=1_000_000_000)
    rating_format: str = _setting("name", "a rating is sent by name or by code", choices=("name", "code"))
    wholesale_needs_business_name: bool = _setting(
        False, "whether the vendor's client setting 'Enable Required Fields for WholeSale Customers' is on"
    )
    max_rows: int = _setting(1_048_576, "rows a sheet may have", least=1, most=1_000_000_000)
    max_cells: int = _setting(50_000_000, "cells a sheet may have", least=1, most=1_000_000_000_000)
    max_unpacked_bytes: int = _setting(
        1_073_741_824, "bytes an Excel file may unpack to", least=1, most=1_000_000_000_000
    )
    admins: str = _setting("", "upload page: login names that see everybody's runs, separated by commas")
    approval: str = _setting(
        "none", "upload page: required = one person uploads, another starts", choices=("none", "required")
    )
    upload_bytes: int = _setting(
        52_428_800, "upload page: bytes an upload may have, the form included", least=1, most=10_000_000_000
    )
    session_minutes: float = _setting(30.0, "upload page: minutes until an idle session ends", least=0.01, most=10_080)
    upload_days: float = _setting(
        30.0, "upload page: days until uploaded sheets and their reports go", least=0.001, most=36_500
    )
    notify: str = _setting("always", "when to send notifications", choices=("always", "problems", "never"))
    mail_host: str = _setting("", "mail server (SMTP) that takes the notices; none: no mail")
    mail_port: int = _setting(0, "its port; 0 = the usual one: 587, with tls 465, with none 25", least=0, most=65_535)
    mail_security: str = _setting(
        "starttls", "SMTP encryption: starttls, tls or none", choices=("starttls", "tls", "none")
    )
    mail_username: str = _setting("", "login of the mail server; none: no login")
    mail_password: Secret = _setting(Secret(""), "password of that login")
    mail_password_file: str = _setting("", "file that holds it, instead of the password itself")
    mail_from: str = _setting("", "address that notices come from")
    mail_to: str = _setting("", "addresses that notices go to, separated by commas")
    mail_attach_bytes: int = _setting(
        5_000_000, "bytes of results to attach at most; more are only named", least=0, most=1_000_000_000
    )
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
    """Return the address without a user name and password that someone wrote into it."""
    parts = urlsplit(url)
    return url if "@" not in parts.netloc else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def environment_name(name: str) -> str:
    """Return the environment variable of a setting: `BULKUPDATE_BASE_URL` for `base_url`."""
    return ENVIRONMENT_PREFIX + name.upper()


def load_settings(
    command_line: Mapping[str, Any], environment: Mapping[str, str] = os.environ, config: Path | None = None
) -> Settings:
    """Return the settings in force: command line over environment over file.

    `command_line` holds what was given there; None means not given. `config` is the file to read; None means
    `bulkupdate.toml` in the working folder, else in the user's config folder, else none.

    Raises `UsageError` for a value that makes no sense, naming where it was set.
    """
    file_path, from_file = _read_config(config)
    known = {each.name for each in SETTINGS}
    unknown = set(from_file) - known - {"map"}
    if unknown:
        raise UsageError(f"{file_path} has an unknown setting: {', '.join(sorted(unknown))}.")
    given: dict[str, Any] = {}
    for each in SETTINGS:
        variable = environment_name(each.name)
        if command_line.get(each.name) is not None:
            given[each.name] = _convert(each.name, command_line[each.name], f"--{each.name.replace('_', '-')}")
        elif environment.get(variable):
            given[each.name] = _convert(each.name, environment[variable], variable)
        elif each.name in from_file:
            given[each.name] = _convert(each.name, from_file[each.name], f"{each.name} in {file_path}")
    given["heading_map"] = _read_map(from_file.get("map", {}), file_path)
    for name in ("password", "mail_password"):
        if given.get(f"{name}_file") and not given.get(name):
            given[name] = Secret(read_secret_file(Path(given[f"{name}_file"])))
    return Settings(**given)


def _read_map(given: Any, file_path: Path | None) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given.values()):
        raise UsageError(f'map in {file_path} must be a table of lines such as Kundennr = "CustomerId".')
    return dict(given)


def _read_config(config: Path | None) -> tuple[Path | None, dict[str, Any]]:
    candidates = [config] if config else [Path(CONFIG_NAME), Path(platformdirs.user_config_dir(APP)) / CONFIG_NAME]
    for path in candidates:
        if config is None and not path.is_file():
            continue
        try:
            return path, tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise UsageError(f"The settings file {path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError:  # it names bytes of the file, which may be those of a password
            raise UsageError(f"The settings file {path} is not UTF-8 text.", remedy="Save it as UTF-8.") from None
        except RecursionError:
            raise UsageError(f"The settings file {path} is not valid TOML: it is nested too deeply.") from None
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"The settings file {path} is not valid TOML: {error}.") from error
    return None, {}


_TYPES = get_type_hints(Settings)
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _convert(name: str, value: Any, where: str) -> Any:
    """Return a setting's text as its type; `where` names its place in the error, which never shows a secret."""
    target = _TYPES[name]
    meta = next(each for each in SETTINGS if each.name == name).metadata
    text = _read_text(value, target, where)
    try:
        converted = _BOOLEANS[text.casefold()] if target is bool else target(text)
    except (ValueError, KeyError):
        raise UsageError(f"{where} is {_quote(text)}; it must be {_describe(target)}.") from None
    if meta["choices"] and converted not in meta["choices"]:
        raise UsageError(f"{where} is {_quote(text)}; it must be one of: {', '.join(meta['choices'])}.")
    if meta["least"] is not None and not converted >= meta["least"]:
        raise UsageError(f"{where} is {_quote(text)}; it must be at least {meta['least']}.")
    if meta["most"] is not None and not converted <= meta["most"]:
        raise UsageError(f"{where} is {_quote(text)}; it must be at most {meta['most']}.")
    return _expand(converted, where) if isinstance(converted, Path) else converted


def _read_text(value: Any, target: type, where: str) -> str:
    """Return the value as text. A settings file may give a number or true for what is none, but not for a text."""
    is_number = isinstance(value, int | float) and target in (int, float, bool)
    if not isinstance(value, str) and not is_number:
        raise UsageError(f"{where} must be {_describe(target)}.")
    text = str(value)
    if not is_utf8(text) or "\0" in text:
        raise UsageError(
            f"{where} holds bytes that are not UTF-8 text.",
            remedy="Type it again in a terminal or editor set to UTF-8.",
        )
    return text if target is Secret else text.strip()


def is_utf8(text: str) -> bool:
    """Return whether a text from the system was UTF-8: other bytes come as halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _expand(path: Path, where: str) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"{where} is {_quote(str(path))}; the home folder it names is not known.") from None


def _quote(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _describe(target: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(target, "a text in quotation marks")


def default_of(name: str) -> Any:
    """Return a setting's default, for help texts."""
    default = next(each.default for each in SETTINGS if each.name == name)
    return None if default is MISSING else default
