"""Notify users of files and nights. A notification that fails is retried, then logged; it never fails a run."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, BusyError, ExitCode, UsageError
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.nightly.notification_text import (
    write_file_post,
    write_file_subject,
    write_file_text,
    write_night_post,
    write_night_subject,
    write_night_text,
)
from bulkupdate.notices.delivery import FIRST_WAIT_SECONDS, TRIES, DeliveryError, TemporaryDeliveryError
from bulkupdate.notices.smtp import SmtpSender
from bulkupdate.notices.webhook import post_json
from bulkupdate.sellercloud.retries import Retrier
from bulkupdate.settings import Settings


@dataclass
class Notifier:
    """Notifies by mail and webhook, as the settings say. `first_wait` is in seconds; `failures` counts what failed."""

    settings: Settings
    clock: Clock
    stop: threading.Event
    first_wait: float = FIRST_WAIT_SECONDS
    failures: int = field(default=0, init=False)
    _failed_channels: set[str] = field(default_factory=set, init=False)

    def check(self) -> None:
        """Raise `UsageError` if mail could not be sent with these settings."""
        if self.settings.mail_host:
            SmtpSender(self.settings, self.clock).check()

    def notify_file(self, report: FileReport) -> None:
        """Send a notification about a file, if the settings ask for it."""
        is_wanted = {"always": True, "problems": report.exit_code is not ExitCode.DONE}
        if is_wanted.get(self.settings.notify, False):
            context = {"run": report.run_report.run, "file": report.name}
            mail = write_file_subject(report), write_file_text(report), report.files
            self._deliver(mail, write_file_post(report), context)

    def notify_night(self, report: NightReport) -> None:
        """Send a notification about the night, if settings ask for it or no file's notification says what failed."""
        if isinstance(report.error, BusyError):  # the other process sends its own
            return
        is_wanted = {"summary": True, "never": False}
        if is_wanted.get(self.settings.notify, report.needs_attention):
            is_summary = self.settings.notify == "summary"  # otherwise the mail about each file had them
            files = tuple(path for file in report.files for path in file.files) if is_summary else ()
            mail = write_night_subject(report), write_night_text(report), files
            self._deliver(mail, write_night_post(report), {})

    def _deliver(self, mail: tuple[str, str, Sequence[Path]], post: dict[str, Any], context: dict[str, Any]) -> None:
        if self.settings.mail_host and self._is_mail_usable():
            self._send("mail", lambda: SmtpSender(self.settings, self.clock).send(*mail), context)
        if self.settings.webhook_url:
            self._send("webhook", lambda: post_json(self.settings.webhook_url, json.dumps(post), self.clock), context)

    def _is_mail_usable(self) -> bool:
        try:
            self.check()
        except UsageError:  # it ended the night, so it is in the log
            return False
        return True

    def _send(self, channel: str, send: Callable[[], None], context: dict[str, Any]) -> None:
        """Send one notification. After one has failed, the others of the night get one attempt each.

        A server that is down must not use up the night.
        """
        tries = 1 if channel in self._failed_channels else TRIES
        try:
            Retrier(tries, self.first_wait, self.clock, self.stop, TemporaryDeliveryError).retry(send)
        except (DeliveryError, BulkUpdateError) as error:
            self._failed_channels.add(channel)
            self.failures += 1
            LOGGER.warning("notification by %s failed: %s", channel, error, extra=context)
        else:
            self._failed_channels.discard(channel)
            LOGGER.info("notification sent by %s", channel, extra=context)
