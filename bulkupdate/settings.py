"""The table of settings. Command-line options, environment names and the README's table are derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.errors import UsageError
from bulkupdate.redaction import Secret

APP = "bulkupdate"
CONFIG_NAME = "bulkupdate.toml"
ENVIRONMENT_PREFIX = "BULKUPDATE_"


class Section(StrEnum):
    """What a setting is about, as the headings of `bulkupdate help settings`."""

    CONNECTION = "Connection"
    SENDING = "Sending"
    GUARDS = "Guards"
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
    if choices:
        help_text += f" Values: {', '.join(choices)}."
    metadata = {"section": section, "help": help_text, "least": least, "most": most, "choices": choices}
    return field(default=default, metadata=metadata)


_CONNECTION, _SENDING, _GUARDS, _SHEETS, _PAGE, _NOTICES = Section


@dataclass(frozen=True)
class Settings:
    """All settings of one invocation. An empty text or None means: not set."""

    base_url: str = _setting(
        _CONNECTION, "", "Address of the service, such as https://xx.api.sellercloud.com/rest/api."
    )
    server_id: str = _setting(_CONNECTION, "", "The xx of that address, instead of the whole address.")
    team: str = _setting(_CONNECTION, "", "Team name, from which the address is looked up.")
    username: str = _setting(_CONNECTION, "", "Login name.")
    password: Secret = _setting(_CONNECTION, Secret(""), "Password of that login.")
    password_file: str = _setting(_CONNECTION, "", "File that holds the password, instead of the password itself.")
    password_keyring: bool = _setting(
        _CONNECTION, False, "Whether the password is in the keyring of this system, where `bulkupdate setup` stores it."
    )
    state_dir: Path = _setting(
        _CONNECTION, Path(platformdirs.user_state_dir(APP)), "Folder of the journal and the quota."
    )
    requests_per_hour: int = _setting(
        _SENDING, 10_800, "The quota: requests in any 60 minutes; 0: no limit.", least=0, most=1_000_000_000
    )
    concurrency: int = _setting(_SENDING, 8, "Requests in flight at the same time.", least=1, most=256)
    timeout: float = _setting(_SENDING, 30.0, "Seconds to wait for an answer.", least=0.001, most=3600)
    max_attempts: int = _setting(_SENDING, 5, "Attempts to send a row.", least=1, most=1000)
    retry_wait: float = _setting(
        _SENDING,
        1.0,
        "Seconds before the second attempt; further waits double, up to 60.",
        least=0,
        most=60,
    )
    max_failures: int = _setting(
        _SENDING, 20, "Consecutive failed rows after which a run stops.", least=1, most=1_000_000_000
    )
    trust_modified_filter: bool = _setting(
        _SENDING, False, "Whether --since-last and --only-changes rely on the list's filter modifiedOnFrom."
    )
    write_policy: str = _setting(
        _GUARDS,
        "",
        "What may be written to a field, as Field=only-if-empty or Field=never, separated by commas; none: all fields "
        "are overwritten.",
    )
    max_changes: ChangeLimit = _setting(
        _GUARDS,
        ChangeLimit(""),
        "Refuse a file that would update more customers than this: a number, or a percentage of its rows; "
        "none: no limit.",
    )
    max_clears: ChangeLimit = _setting(
        _GUARDS,
        ChangeLimit(""),
        "Refuse a file that would clear fields of more customers than this: a number, a percentage or none; "
        "not set: none, in nights 20% of a file of 50 rows or more.",
    )
    nightly_canary: int = _setting(
        _GUARDS,
        0,
        "Nights: rows of each file that are sent and read back first, as with --canary; 0: none.",
        least=0,
        most=1_000_000,
    )
    nightly_max_growth: float = _setting(
        _GUARDS,
        10.0,
        "Nights: refuse a file with this many times the median row count of the last ten files of its name; "
        "0: no limit.",
        least=0,
        most=1_000_000,
    )
    rating_format: str = _setting(
        _SHEETS, "name", "Whether a rating is sent by name or by code.", choices=("name", "code")
    )
    wholesale_needs_business_name: bool = _setting(
        _SHEETS, False, "Whether the client setting “Enable Required Fields for WholeSale Customers” is on."
    )
    nightly_key: str = _setting(
        _SHEETS, "", "Nights: column that customers are found by, as with --key; none: CustomerId."
    )
    nightly_lookup: str = _setting(
        _SHEETS, "", "Nights: sheet that customers are looked up in, as with --lookup; none: the service is searched."
    )
    max_rows: int = _setting(_SHEETS, 1_048_576, "Most rows that a sheet may have.", least=1, most=1_000_000_000)
    max_cells: int = _setting(_SHEETS, 50_000_000, "Most cells that a sheet may have.", least=1, most=1_000_000_000_000)
    max_unpacked_bytes: int = _setting(
        _SHEETS, 1_073_741_824, "Most bytes that an Excel file may unpack to.", least=1, most=1_000_000_000_000
    )
    admins: str = _setting(
        _PAGE, "", "Login names that see the runs of all users, separated by commas; none: each user sees their own."
    )
    approval: str = _setting(
        _PAGE,
        "none",
        "Whether a run must be started by a user other than the one who uploaded it.",
        choices=("none", "required"),
    )
    upload_bytes: int = _setting(_PAGE, 52_428_800, "Most bytes that an upload may have.", least=1, most=10_000_000_000)
    session_minutes: float = _setting(_PAGE, 30.0, "Minutes until an idle session ends.", least=0.01, most=10_080)
    upload_days: float = _setting(
        _PAGE, 30.0, "Days until uploaded sheets and their reports are deleted.", least=0.001, most=36_500
    )
    scan_command: str = _setting(
        _PAGE, "", "Virus scanner that is run on each upload; it exits with 0 if the file is clean; none: no scan."
    )
    notify: str = _setting(
        _NOTICES,
        "always",
        "When to notify: after each file, once a night, only of problems, or not at all.",
        choices=("always", "summary", "problems", "never"),
    )
    mail_host: str = _setting(_NOTICES, "", "Mail server (SMTP) that sends the notifications; none: no mail.")
    mail_port: int = _setting(
        _NOTICES, 0, "Port of the mail server; 0: 587, with tls 465, without encryption 25.", least=0, most=65_535
    )
    mail_security: str = _setting(
        _NOTICES, "starttls", "Encryption of the mail server.", choices=("starttls", "tls", "none")
    )
    mail_username: str = _setting(_NOTICES, "", "Login of the mail server; none: no login.")
    mail_password: Secret = _setting(_NOTICES, Secret(""), "Password of that login.")
    mail_password_file: str = _setting(
        _NOTICES, "", "File that holds the mail password, instead of the password itself."
    )
    mail_from: str = _setting(_NOTICES, "", "Address that notifications come from.")
    mail_to: str = _setting(_NOTICES, "", "Addresses that notifications go to, separated by commas.")
    mail_attach_bytes: int = _setting(
        _NOTICES,
        5_000_000,
        "Bytes of results to attach at most; larger ones are only named.",
        least=0,
        most=1_000_000_000,
    )
    webhook_url: Secret = _setting(
        _NOTICES, Secret(""), "Address that notifications are posted to as JSON (Slack and similar); none: no posts."
    )
    heartbeat_url: Secret = _setting(
        _NOTICES,
        Secret(""),
        "Address requested at the start (/start) and end of each night (/fail if the exit code is 2 or more); none: "
        "no requests.",
    )
    heading_map: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "Your own headings: heading = field, in the table [map] of the file."}
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
                remedy=f"Set {them} in the environment or in {CONFIG_NAME}, or run `bulkupdate setup`; then check with "
                "`bulkupdate doctor`.",
            )

    def describe(self) -> dict[str, str]:
        """Every setting as text, for results and journal; secrets and what could hold them are left out."""
        left_out = SECRETS | {"password_file", "password_keyring", "state_dir"}
        described = {
            each.name: str(getattr(self, each.name))
            for each in SETTINGS
            if each.metadata["section"] in _SECTIONS_OF_A_RUN and each.name not in left_out
        }
        described["base_url"] = without_credentials(self.base_url)
        return described


_SECTIONS_OF_A_RUN = (Section.CONNECTION, Section.SENDING, Section.GUARDS, Section.SHEETS)
"""The others change nothing in a run."""

SETTINGS = tuple(each for each in fields(Settings) if each.name != "heading_map")
"""Every setting that has a name in the environment."""

SECRETS = frozenset(each.name for each in SETTINGS if each.type == Secret.__name__)
"""The settings that are never shown, and never options of a command: other users of the machine could read those."""


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
