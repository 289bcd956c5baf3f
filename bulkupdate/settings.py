"""The table of settings, from which options, environment names and the README's table are derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.errors import UsageError
from bulkupdate.network import without_credentials
from bulkupdate.redaction import Secret
from bulkupdate.setting_section import Section, make_setting

APP = "bulkupdate"
CONFIG_NAME = "bulkupdate.toml"
ENVIRONMENT_PREFIX = "BULKUPDATE_"


_CONNECTION, _SENDING, _GUARDS, _SHEETS, _PAGE, _NOTICES = Section


@dataclass(frozen=True)
class Settings:
    """All settings of one invocation. An empty text or None means: not set."""

    base_url: str = make_setting(
        _CONNECTION, "", "Address of the service, such as https://xx.api.sellercloud.com/rest/api."
    )
    server_id: str = make_setting(_CONNECTION, "", "The xx of that address, instead of the whole address.")
    team: str = make_setting(_CONNECTION, "", "Team name, from which the address is looked up.")
    username: str = make_setting(_CONNECTION, "", "Login name.")
    password: Secret = make_setting(_CONNECTION, Secret(""), "Password of that login.")
    password_file: str = make_setting(_CONNECTION, "", "File that holds the password, instead of the password itself.")
    password_keyring: bool = make_setting(
        _CONNECTION, False, "Whether the password is in the keyring of this system, where `bulkupdate setup` stores it."
    )
    state_dir: Path = make_setting(
        _CONNECTION, Path(platformdirs.user_state_dir(APP)), "Folder of the journal and the quota."
    )
    database: Secret = make_setting(
        _CONNECTION, Secret(""), "PostgreSQL database (postgresql://…) that several hosts share instead of that folder."
    )
    database_file: str = make_setting(_CONNECTION, "", "File that holds that address, instead of the address itself.")
    egress: str = make_setting(
        _CONNECTION, "", "Name of the address that requests leave from, if the hosts of a database have several."
    )
    requests_per_hour: int = make_setting(
        _SENDING, 10_800, "The quota: requests in any 60 minutes; 0: no limit.", least=0, most=1_000_000_000
    )
    concurrency: int = make_setting(_SENDING, 8, "Requests in flight at the same time.", least=1, most=256)
    timeout: float = make_setting(_SENDING, 30.0, "Seconds to wait for an answer.", least=0.001, most=3600)
    max_attempts: int = make_setting(_SENDING, 5, "Attempts to send a row.", least=1, most=1000)
    retry_wait: float = make_setting(
        _SENDING, 1.0, "Seconds before the second attempt; further waits double, up to 60.", least=0, most=60
    )
    max_failures: int = make_setting(
        _SENDING, 20, "Consecutive failed rows after which a run stops.", least=1, most=1_000_000_000
    )
    trust_modified_filter: bool = make_setting(
        _SENDING,
        False,
        "Whether --since-last and --only-changes rely on the list's filter modifiedOnFrom; not set: if the probe has "
        "found it reliable.",
    )
    write_policy: str = make_setting(
        _GUARDS,
        "",
        "What may be written to a field, as Field=only-if-empty or Field=never, separated by commas; none: all fields "
        "are overwritten.",
    )
    max_changes: ChangeLimit = make_setting(
        _GUARDS,
        ChangeLimit(""),
        "Refuse a file that would update more customers than this: a number, or a percentage of its rows; "
        "none: no limit.",
    )
    max_clears: ChangeLimit = make_setting(
        _GUARDS,
        ChangeLimit(""),
        "Refuse a file that would clear fields of more customers than this: a number, a percentage or none; "
        "not set: none, in nights 20% of a file of 50 rows or more.",
    )
    nightly_canary: int = make_setting(
        _GUARDS,
        0,
        "Nights: rows of each file that are sent and read back first, as with --canary; 0: none.",
        least=0,
        most=1_000_000,
    )
    nightly_max_growth: float = make_setting(
        _GUARDS,
        10.0,
        "Nights: refuse a file with this many times the median row count of the last ten files of its name; "
        "0: no limit.",
        least=0,
        most=1_000_000,
    )
    rating_format: str = make_setting(
        _SHEETS,
        "name",
        "Whether a rating is sent by name or by code; not set: what the probe has found, else by name.",
        choices=("name", "code"),
    )
    wholesale_needs_business_name: bool = make_setting(
        _SHEETS, False, "Whether the client setting “Enable Required Fields for WholeSale Customers” is on."
    )
    nightly_key: str = make_setting(
        _SHEETS, "", "Nights: column that customers are found by, as with --key; none: CustomerId."
    )
    nightly_lookup: str = make_setting(
        _SHEETS, "", "Nights: sheet that customers are looked up in, as with --lookup; none: the service is searched."
    )
    max_rows: int = make_setting(_SHEETS, 1_048_576, "Maximum rows of a sheet.", least=1, most=1_000_000_000)
    max_cells: int = make_setting(_SHEETS, 50_000_000, "Maximum cells of a sheet.", least=1, most=1_000_000_000_000)
    max_unpacked_bytes: int = make_setting(
        _SHEETS, 1_073_741_824, "Maximum bytes that an Excel file may unpack to.", least=1, most=1_000_000_000_000
    )
    admins: str = make_setting(
        _PAGE, "", "Login names that see the runs of all users, separated by commas; none: each user sees their own."
    )
    approval: str = make_setting(
        _PAGE,
        "none",
        "Whether a run must be started by a user other than the one who uploaded it.",
        choices=("none", "required"),
    )
    upload_bytes: int = make_setting(_PAGE, 52_428_800, "Maximum bytes of an upload.", least=1, most=10_000_000_000)
    fetch_hosts: str = make_setting(
        _PAGE, "", "Own hosts that the page may download from, with commas; none: only public."
    )
    metrics_token: Secret = make_setting(
        _PAGE, Secret(""), "Token with which other machines may read /metrics; none: only this machine may."
    )
    session_minutes: float = make_setting(_PAGE, 30.0, "Minutes until an idle session ends.", least=0.01, most=10_080)
    upload_days: float = make_setting(
        _PAGE, 30.0, "Days until uploaded sheets and their reports are deleted.", least=0.001, most=36_500
    )
    scan_command: str = make_setting(
        _PAGE, "", "Virus scanner that is run on each upload; it exits with 0 if the file is clean; none: no scan."
    )
    notify: str = make_setting(
        _NOTICES,
        "always",
        "When to notify: after each file, once a night, only of problems, or not at all.",
        choices=("always", "summary", "problems", "never"),
    )
    mail_host: str = make_setting(_NOTICES, "", "Mail server (SMTP) that sends the notifications; none: no mail.")
    mail_port: int = make_setting(
        _NOTICES, 0, "Port of the mail server; 0: 587, with tls 465, without encryption 25.", least=0, most=65_535
    )
    mail_security: str = make_setting(
        _NOTICES, "starttls", "Encryption of the mail server.", choices=("starttls", "tls", "none")
    )
    mail_username: str = make_setting(_NOTICES, "", "Login of the mail server; none: no login.")
    mail_password: Secret = make_setting(_NOTICES, Secret(""), "Password of that login.")
    mail_password_file: str = make_setting(
        _NOTICES, "", "File that holds the mail password, instead of the password itself."
    )
    mail_from: str = make_setting(_NOTICES, "", "Address that notifications come from.")
    mail_to: str = make_setting(_NOTICES, "", "Addresses that notifications go to, separated by commas.")
    mail_attach_bytes: int = make_setting(
        _NOTICES, 5_000_000, "Maximum bytes of attached results; larger ones are only named.", least=0, most=10**9
    )
    webhook_url: Secret = make_setting(
        _NOTICES, Secret(""), "Address that notifications are posted to as JSON (Slack and similar); none: no posts."
    )
    heartbeat_url: Secret = make_setting(
        _NOTICES,
        Secret(""),
        "Address requested at the start (/start) and end of each night (/fail if the exit code is 2 or more); none: "
        "no requests.",
    )
    given: frozenset[str] = frozenset()
    """The settings that are set, to any value; no others are replaced by what is known of the service."""
    heading_map: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "Your own headings: heading = field, in the table [map] of the file."}
    )

    @property
    def store(self) -> Path | Secret:
        """Where journal, quota and audit are kept: the address of a database, or the state folder."""
        return self.database or self.state_dir

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
        """Return the settings of a run as texts, for results and journal, without any that may contain a secret."""
        left_out = SECRETS | {"password_file", "password_keyring", "state_dir", "database_file", "egress"}
        described = {
            setting.name: str(getattr(self, setting.name))
            for setting in SETTINGS
            if setting.metadata["section"] in _SECTIONS_OF_A_RUN and setting.name not in left_out
        }
        described["base_url"] = without_credentials(self.base_url)
        return described


_SECTIONS_OF_A_RUN = (Section.CONNECTION, Section.SENDING, Section.GUARDS, Section.SHEETS)
"""The other sections do not affect a run."""

SETTINGS = tuple(setting for setting in fields(Settings) if setting.name not in ("heading_map", "given"))
"""Every setting that has a name in the environment."""

SECRETS = frozenset(setting.name for setting in SETTINGS if setting.type == Secret.__name__)
"""The settings that are never shown, and never command-line options, which other users of the machine could read."""


def environment_name(name: str) -> str:
    """Return the environment variable of a setting: `BULKUPDATE_BASE_URL` for `base_url`."""
    return ENVIRONMENT_PREFIX + name.upper()


def default_of(name: str) -> Any:
    """Return a setting's default, for help texts."""
    default = next(setting.default for setting in SETTINGS if setting.name == name)
    return None if default is MISSING else default
