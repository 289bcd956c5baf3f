"""The table of settings. Command-line options, environment names and the README's table are derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from bulkupdate.errors import UsageError

APP = "bulkupdate"
CONFIG_NAME = "bulkupdate.toml"
ENVIRONMENT_PREFIX = "BULKUPDATE_"


class Secret:
    """A text that shows only on request, by `reveal()`: never in a `repr`."""

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


class Section(StrEnum):
    """What a setting is about, as the headings of `bulkupdate help settings`."""

    CONNECTION = "Connection"
    SENDING = "Sending"
    SHEETS = "Sheets"
    PAGE = "Upload page"
    NOTICES = "Notifications of nights"


def _setting(
    section: Section,
    default: Any,
    help_text: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    metadata = {"section": section, "help": help_text, "least": least, "most": most, "choices": choices}
    return field(default=default, metadata=metadata)


_CONNECTION, _SENDING, _SHEETS, _PAGE, _NOTICES = Section


@dataclass(frozen=True)
class Settings:
    """All settings of one call. An empty text or None means: not set."""

    base_url: str = _setting(_CONNECTION, "", "address of the service: https://xx.api.sellercloud.com/rest/api")
    server_id: str = _setting(_CONNECTION, "", "the xx of that address, instead of the base URL")
    team: str = _setting(_CONNECTION, "", "team name, instead of both: the address is looked up")
    username: str = _setting(_CONNECTION, "", "login name")
    password: Secret = _setting(_CONNECTION, Secret(""), "password of the login")
    password_file: str = _setting(_CONNECTION, "", "file that holds the password, instead of the password itself")
    state_dir: Path = _setting(
        _CONNECTION, Path(platformdirs.user_state_dir(APP)), "folder of the journal, quota and history"
    )
    requests_per_hour: int = _setting(
        _SENDING, 10_800, "the quota: requests in any 60 minutes; 0 = no limit", least=0, most=1_000_000_000
    )
    concurrency: int = _setting(_SENDING, 8, "requests in flight", least=1, most=256)
    timeout: float = _setting(_SENDING, 30.0, "seconds for one request", least=0.001, most=3600)
    max_attempts: int = _setting(_SENDING, 5, "tries for one row", least=1, most=1000)
    retry_wait: float = _setting(
        _SENDING, 1.0, "first back-off in seconds; doubles, with jitter, up to 60", least=0, most=60
    )
    max_failures: int = _setting(
        _SENDING, 20, "stop after this many consecutive failed rows", least=1, most=1_000_000_000
    )
    rating_format: str = _setting(_SHEETS, "name", "a rating is sent by name or by code", choices=("name", "code"))
    wholesale_needs_business_name: bool = _setting(
        _SHEETS, False, "whether the vendor's client setting 'Enable Required Fields for WholeSale Customers' is on"
    )
    nightly_key: str = _setting(
        _SHEETS, "", "nightly: the column that customers are found by, as with --key; none: CustomerId"
    )
    nightly_lookup: str = _setting(_SHEETS, "", "nightly: the sheet that customers are looked up in, as with --lookup")
    max_rows: int = _setting(_SHEETS, 1_048_576, "rows a sheet may have", least=1, most=1_000_000_000)
    max_cells: int = _setting(_SHEETS, 50_000_000, "cells a sheet may have", least=1, most=1_000_000_000_000)
    max_unpacked_bytes: int = _setting(
        _SHEETS, 1_073_741_824, "bytes an Excel file may unpack to", least=1, most=1_000_000_000_000
    )
    admins: str = _setting(_PAGE, "", "upload page: login names that see everybody's runs, separated by commas")
    approval: str = _setting(
        _PAGE, "none", "upload page: required = one person uploads, another starts", choices=("none", "required")
    )
    upload_bytes: int = _setting(
        _PAGE, 52_428_800, "upload page: bytes an upload may have, the form included", least=1, most=10_000_000_000
    )
    session_minutes: float = _setting(
        _PAGE, 30.0, "upload page: minutes until an idle session ends", least=0.01, most=10_080
    )
    upload_days: float = _setting(
        _PAGE, 30.0, "upload page: days until uploaded sheets and their reports go", least=0.001, most=36_500
    )
    scan_command: str = _setting(
        _PAGE, "", "upload page: virus scanner run on each upload; its exit code 0 = clean, 1 = not; none: no scan"
    )
    notify: str = _setting(
        _NOTICES,
        "always",
        "when to notify: always = after each file, summary = once a night, problems or never",
        choices=("always", "summary", "problems", "never"),
    )
    mail_host: str = _setting(_NOTICES, "", "mail server (SMTP) that sends the notifications; none: no mail")
    mail_port: int = _setting(
        _NOTICES, 0, "its port; 0 = the usual one: 587, with tls 465, with none 25", least=0, most=65_535
    )
    mail_security: str = _setting(
        _NOTICES, "starttls", "SMTP encryption: starttls, tls or none", choices=("starttls", "tls", "none")
    )
    mail_username: str = _setting(_NOTICES, "", "login of the mail server; none: no login")
    mail_password: Secret = _setting(_NOTICES, Secret(""), "password of that login")
    mail_password_file: str = _setting(_NOTICES, "", "file that holds it, instead of the password itself")
    mail_from: str = _setting(_NOTICES, "", "address that notifications come from")
    mail_to: str = _setting(_NOTICES, "", "addresses that notifications go to, separated by commas")
    mail_attach_bytes: int = _setting(
        _NOTICES, 5_000_000, "bytes of results to attach at most; more are only named", least=0, most=1_000_000_000
    )
    webhook_url: Secret = _setting(
        _NOTICES, Secret(""), "address that notifications are posted to as JSON (Slack and similar)"
    )
    heartbeat_url: Secret = _setting(
        _NOTICES,
        Secret(""),
        "address requested at the start (/start) and end of each night (/fail if the exit code is 2 or more)",
    )
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
            these, them = ("this setting is", "it") if len(missing) == 1 else ("these settings are", "them")
            raise UsageError(
                f"To reach the service, {these} missing: {', '.join(missing)}.",
                remedy=f"Set {them} in the environment or in {CONFIG_NAME}, then check with `bulkupdate doctor`.",
            )

    def describe(self) -> dict[str, str]:
        """Every setting as text, for results and journal; secrets and what could hold them are left out."""
        left_out = SECRETS | {"password_file", "state_dir"}
        described = {
            each.name: str(getattr(self, each.name))
            for each in SETTINGS
            if each.metadata["section"] in _SECTIONS_OF_A_RUN and each.name not in left_out
        }
        described["base_url"] = without_credentials(self.base_url)
        return described


_SECTIONS_OF_A_RUN = (Section.CONNECTION, Section.SENDING, Section.SHEETS)
"""The others change nothing in a run."""

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


def default_of(name: str) -> Any:
    """Return a setting's default, for help texts."""
    default = next(each.default for each in SETTINGS if each.name == name)
    return None if default is MISSING else default
