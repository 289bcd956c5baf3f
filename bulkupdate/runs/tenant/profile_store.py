"""Where profiles are kept: the journal, by the host of the service."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.tenant.facts import FACT_BY_NAME
from bulkupdate.runs.tenant.profile import Profile
from bulkupdate.sellercloud.base_url import normalise_base_url, server_address
from bulkupdate.settings import Settings
from bulkupdate.store.journal_file import JOURNAL_NAME

_TEAM_HOST = "host"


def find_profile(journal: Journal, host: str) -> Profile:
    """Return what the journal knows of the service at this host. Raises `JournalError`."""
    known = journal.find_facts(host)
    return Profile({name: item for name, item in known.items() if name in FACT_BY_NAME})


def note_team(journal: Journal, settings: Settings, host: str, now: str) -> None:
    """Keep at which host a team's service is, so that its profile is found without a request. Raises `JournalError`."""
    if settings.team and not (settings.base_url or settings.server_id):
        journal.keep_facts(_team_key(settings), {_TEAM_HOST: host}, now)


def read_profile(settings: Settings) -> Profile:
    """Return what is known of the service that the settings name, without a request; nothing without a journal.

    Raises `JournalError`.
    """
    if not settings.database and not (settings.state_dir / JOURNAL_NAME).is_file():
        return Profile()
    with Journal(settings.store, Clock(), checks_pages=False) as journal:
        return find_profile(journal, _find_host(settings, journal))


def _find_host(settings: Settings, journal: Journal) -> str:
    """Return the host that the settings name; empty if they name none, or a team that was never looked up."""
    with suppress(UsageError):
        if settings.base_url:
            return urlsplit(normalise_base_url(settings.base_url)).netloc
        if settings.server_id:
            return urlsplit(server_address(settings.server_id)).netloc
        known = journal.find_facts(_team_key(settings))
        return str(known[_TEAM_HOST].value) if _TEAM_HOST in known else ""
    return ""


def _team_key(settings: Settings) -> str:
    return f"team {settings.team}"
