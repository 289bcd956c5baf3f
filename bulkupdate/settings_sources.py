"""Settings from the command line, the environment and a file, in this order of precedence."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import platformdirs

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.errors import UsageError
from bulkupdate.redaction import Secret
from bulkupdate.secret_file import decode_text, read_secret_file
from bulkupdate.setting_section import Section
from bulkupdate.settings import APP, CONFIG_NAME, SETTINGS, Settings, environment_name
from bulkupdate.system_keyring import read_keyring_password
from bulkupdate.text import is_utf8


def load_settings(
    command_line: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
    config: Path | None = None,
    *,
    sections: Collection[Section] = tuple(Section),
) -> Settings:
    """Return the settings in force: command line over environment over file.

    `command_line` has the values given there; None means not given. `config` is the file to read; None means
    `bulkupdate.toml` in the working folder, else in the user's config folder, else none.

    Only settings of `sections` are loaded. Raises `UsageError`, which names its source, for an invalid value.
    """
    file_path, from_file = _read_config(config)
    _refuse_unknown(from_file, file_path)
    given: dict[str, Any] = {}
    for setting in (setting for setting in SETTINGS if setting.metadata["section"] in sections):
        variable = environment_name(setting.name)
        if command_line.get(setting.name) is not None:
            given[setting.name] = _convert(
                setting.name, command_line[setting.name], f"--{setting.name.replace('_', '-')}"
            )
        elif environment.get(variable):
            given[setting.name] = _convert(setting.name, environment[variable], variable)
        elif setting.name in from_file:
            given[setting.name] = _convert(setting.name, from_file[setting.name], f"{setting.name} in {file_path}")
    given["given"] = frozenset(given)
    given["heading_map"] = _read_map(from_file.get("map", {}), file_path)
    for name in ("password", "mail_password", "database"):
        if given.get(f"{name}_file") and not given.get(name):
            given[name] = Secret(read_secret_file(Path(given[f"{name}_file"])))
    if given.get("password_keyring") and not given.get("password"):
        address = next((given[name] for name in _ADDRESSES if given.get(name)), "")
        given["password"] = _KeyringSecret(address, given.get("username", ""))
    return Settings(**given)


class _KeyringSecret(Secret):
    """A password that is read only when needed, as the system may ask its user to unlock the keyring."""

    __slots__ = ("_address", "_username")

    def __init__(self, address: str, username: str) -> None:
        super().__init__("")
        self._address, self._username = address, username

    def reveal(self) -> str:
        """Return the password. Raises `UsageError` if the keyring cannot be read."""
        self._text = self._text or read_keyring_password(self._address, self._username)
        return self._text

    def __bool__(self) -> bool:
        return True


_ADDRESSES = ("base_url", "server_id", "team")
"""The settings that name the service, in order of precedence."""


def list_overrides(config: Path | None, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return what overrides the connection in the user's settings file, or in `config`: variables and a file."""
    connection = (*_ADDRESSES, "username", "password", "password_file")
    variables = [environment_name(name) for name in connection if environment.get(environment_name(name))]
    is_hidden = config is None and Path(CONFIG_NAME).is_file()
    return variables + ([f"{CONFIG_NAME} in this folder"] if is_hidden else [])


def load_notification_settings(environment: Mapping[str, str] = os.environ, config: Path | None = None) -> Settings:
    """Return only the settings of notifications, if they are valid, to report that other settings are not."""
    for path in (config, Path(os.devnull)):
        with suppress(UsageError):
            return load_settings({}, environment, path, sections=(Section.NOTICES,))
    return Settings()


def _refuse_unknown(from_file: Mapping[str, Any], file_path: Path | None) -> None:
    known = [setting.name for setting in SETTINGS] + ["map"]
    unknown = sorted(set(from_file) - set(known))
    if unknown:
        near = get_close_matches(unknown[0].lower().replace("-", "_"), known, n=1)
        raise UsageError(
            f"{file_path} has an unknown setting: {', '.join(unknown)}.",
            remedy=f"Did you mean {near[0]}?" if near else "`bulkupdate help settings` lists all.",
        )


def _read_map(given: Any, file_path: Path | None) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given.values()):
        raise UsageError(f'map in {file_path} must be a table of lines such as Kundennr = "CustomerId".')
    return dict(given)


def user_config_path() -> Path:
    """Return where the user's own settings file is, or would be."""
    return Path(platformdirs.user_config_dir(APP)) / CONFIG_NAME


def _read_config(config: Path | None) -> tuple[Path | None, dict[str, Any]]:
    for path in [config] if config else [Path(CONFIG_NAME), user_config_path()]:
        if config is None and not path.is_file():
            continue
        text = read_settings_text(path)
        try:
            return path, tomllib.loads(text)
        except RecursionError:
            raise UsageError(f"The settings file {path} is not valid TOML: it is nested too deeply.") from None
        except tomllib.TOMLDecodeError as error:
            raise UsageError(
                f"The settings file {path} is not valid TOML: {error}{_name_setting(text, str(error))}.",
                remedy='Write each setting on a line of its own, with texts in quotation marks: team = "acme".',
            ) from None
    return None, {}


def read_settings_text(path: Path) -> str:
    """Return the text of a settings file; PowerShell writes it as UTF-16. Raises `UsageError` if it is not text."""
    try:
        return decode_text(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"The settings file {path} cannot be read: {error.strerror}.",
            remedy=f"Correct its name. Without --config, {CONFIG_NAME} in this folder or {user_config_path()} is read.",
        ) from error
    except UnicodeDecodeError:  # the error shows bytes of the file, perhaps of a password
        raise UsageError(f"The settings file {path} is not UTF-8 text.", remedy="Save it as UTF-8.") from None


def _name_setting(text: str, error: str) -> str:
    """Return the name of the setting on the line of the error, for a message; never its value, perhaps a password."""
    number = re.search(r"at line (\d+)", error)
    line = text.splitlines()[int(number[1]) - 1] if number else ""
    name = re.match(r"\s*([A-Za-z_-]+)\s*=", line)
    return f", in the setting {name[1]}" if name else ""


_TYPES = get_type_hints(Settings)
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _convert(name: str, value: Any, where: str) -> Any:
    """Convert a setting's text to its type; `where` names its source in an error."""
    target = _TYPES[name]
    meta = next(setting for setting in SETTINGS if setting.name == name).metadata
    text = _read_text(value, target, where)
    try:
        converted = _BOOLEANS[text.casefold()] if target is bool else target(text)
    except (ValueError, KeyError):
        raise UsageError(f"{where} is {_quote_setting(text)}; it must be {_describe_type(target)}.") from None
    if meta["choices"] and converted not in meta["choices"]:
        raise UsageError(f"{where} is {_quote_setting(text)}; it must be one of: {', '.join(meta['choices'])}.")
    if meta["least"] is not None and not converted >= meta["least"]:
        raise UsageError(f"{where} is {_quote_setting(text)}; it must be at least {meta['least']}.")
    if meta["most"] is not None and not converted <= meta["most"]:
        raise UsageError(f"{where} is {_quote_setting(text)}; it must be at most {meta['most']}.")
    return _expand(converted, where) if isinstance(converted, Path) else converted


def _read_text(value: Any, target: type, where: str) -> str:
    """Return the value as text. In a settings file, numbers and true need no quotation marks, but texts do."""
    is_number = isinstance(value, int | float) and target in (int, float, bool, ChangeLimit)
    if not isinstance(value, str) and not is_number:
        raise UsageError(f"{where} must be {_describe_type(target)}.")
    text = str(value)
    if not is_utf8(text) or "\0" in text:
        raise UsageError(
            f"{where} holds bytes that are not UTF-8 text.",
            remedy="Type it again in a terminal or editor set to UTF-8.",
        )
    return text if target is Secret else text.strip()


def _expand(path: Path, where: str) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(
            f"{where} is {_quote_setting(str(path))}; its home folder is not known.", remedy="Write the whole path."
        ) from None


def _quote_setting(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _describe_type(target: type) -> str:
    kinds: dict[type, str] = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        ChangeLimit: "a number, a percentage such as 20%, or none",
    }
    return kinds.get(target, "a text in quotation marks")
