"""Mails to users of the page: a run has ended, or a sheet waits for an approval."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import BulkUpdateError, UsageError
from bulkupdate.notices.delivery import FIRST_WAIT_SECONDS, TRIES, DeliveryError, TemporaryDeliveryError
from bulkupdate.notices.smtp import SmtpSender
from bulkupdate.runs.run_records import Run, StatusCounts
from bulkupdate.sellercloud.retries import Retrier
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize, replace_controls, truncate
from bulkupdate.web.json_files import read_json, write_json

log = logging.getLogger("bulkupdate.web")

WISH = "mail.json"
_SUBJECT_LENGTH = 150


@dataclass(frozen=True)
class Mailer:
    """Sends mails in the background, where the settings name a mail server; a mail that fails is only logged."""

    settings: Settings
    clock: Clock
    stop: threading.Event

    @property
    def is_possible(self) -> bool:
        """Whether mail is set up."""
        if not self.settings.mail_host:
            return False
        try:
            SmtpSender(self.settings, self.clock).check()
        except UsageError:
            return False
        return True

    def address_of(self, identity: str) -> str:
        """Return where mails to a user go: the user name if it is an address, else the recipients of the settings."""
        return identity if "@" in identity.strip("@") and " " not in identity else self.settings.mail_to

    def send(self, to: str, subject: str, lines: Sequence[str]) -> None:
        """Send a mail, unless mail is not set up; returns at once."""
        if self.is_possible:
            mail = f"bulkupdate: {_tidy(truncate(subject, _SUBJECT_LENGTH))}", "\n".join(map(_tidy, lines)) + "\n"
            threading.Thread(target=self._deliver, args=(to, *mail), name="mail", daemon=True).start()

    def _deliver(self, to: str, subject: str, text: str) -> None:
        recipients = [address for part in to.split(",") if (address := part.strip())]
        sender = SmtpSender(self.settings, self.clock)
        try:
            retrier = Retrier(TRIES, FIRST_WAIT_SECONDS, self.clock, self.stop, TemporaryDeliveryError)
            retrier.retry(lambda: sender.send(subject, text, (), recipients))
        except (DeliveryError, BulkUpdateError) as error:
            log.warning("mail failed: %s", error)


def wish_mail(folder: Path, to: str, link: str) -> None:
    """Keep that a mail with this link is to be sent when the run of the folder has ended; `to` empty: none."""
    if to:
        write_json(folder / WISH, {"to": to, "link": link})
    else:
        (folder / WISH).unlink(missing_ok=True)


def find_wish(folder: Path) -> tuple[str, str] | None:
    """Return address and link of the mail that is wanted; None if none is."""
    wish = read_json(folder / WISH)
    return None if wish is None else (str(wish.get("to", "")), str(wish.get("link", "")))


def write_end(name: str, run: Run, counts: StatusCounts, reason: str, link: str) -> tuple[str, list[str]]:
    """Return subject and lines of the mail about the end of a run; no cell of the sheet is quoted.

    `reason` says why it stopped, empty if it did not.
    """
    left_over = counts.rows - counts[Status.UPDATED] - counts[Status.UNCHANGED]
    failed = f"{left_over:,} of {pluralize(counts.rows, 'row')} did not go through"
    outcome = f"{run.state.value}, {failed}" if left_over else "finished"
    lines = [f"{name}: {outcome}.", ""]
    lines += [f"  {status.value}: {count:,}" for status, count in counts.counts.items() if count]
    lines += ["", f"Why it stopped: {reason}"] if reason else []
    return f"{name}: {outcome}", [*lines, "", f"Requests used: {run.calls:,}", f"The run: {link}"]


def _tidy(text: str) -> str:
    return replace_controls(text, lambda _: " ")
