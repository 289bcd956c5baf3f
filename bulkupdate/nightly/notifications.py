"""Notify users of the outcome of a file. A notification that fails is retried, then logged; it never fails a run."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.logs import LOGGER, neutralise
from bulkupdate.nightly.smtp import MailError, SmtpSender
from bulkupdate.nightly.webhook import WebhookError, post_json
from bulkupdate.sellercloud.retry import Retrier
from bulkupdate.settings import Settings

TRIES = 4
FIRST_WAIT_SECONDS = 2.0
"""2, 4 and 8 seconds, with jitter: one notification waits for 20 seconds at most."""

_WEBHOOK_KEYS = ("run", "state", "rows", "counts", "exit_code", "next")
"""What a webhook gets in addition to the text; nothing that could quote a cell."""


class _TryAgainError(Exception):
    """A notification was not accepted, but another attempt may succeed."""


@dataclass
class Notifier:
    """Notifies by mail and webhook, as the settings say. `first_wait` is in seconds."""

    settings: Settings
    clock: Clock
    stop: threading.Event
    first_wait: float = FIRST_WAIT_SECONDS
    _failed_channels: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Raise `UsageError` if mail could not be sent with these settings."""
        if self.settings.mail_host:
            SmtpSender(self.settings, self.clock).check()

    def notify(self, report: FileReport) -> None:
        """Send a notification about a file, if the settings ask for it."""
        wanted = self.settings.notify
        if wanted == "never" or (wanted == "problems" and report.exit_code is ExitCode.DONE):
            return
        if self.settings.mail_host:
            self._send("mail", lambda: self._mail(report), report)
        if self.settings.webhook_url:
            self._send("webhook", lambda: self._post(report), report)

    def _send(self, channel: str, send: Callable[[], None], report: FileReport) -> None:
        """Send one notification. After one has failed, the others of the night get one attempt each.

        A server that is down must not use up the night.
        """
        tries = 1 if channel in self._failed_channels else TRIES
        context = {"run": report.run_report.run, "file": report.name}
        try:
            Retrier(tries, self.first_wait, self.clock, self.stop).retry(send, _TryAgainError)
        except (_TryAgainError, BulkUpdateError) as error:
            self._failed_channels.add(channel)
            LOGGER.warning("notification by %s failed: %s", channel, error, extra=context)
        else:
            self._failed_channels.discard(channel)
            LOGGER.info("notification sent by %s", channel, extra=context)

    def _mail(self, report: FileReport) -> None:
        try:
            SmtpSender(self.settings, self.clock).send(write_subject(report), write_text(report), report.files)
        except MailError as error:
            raise _translate(error, is_temporary=error.is_temporary) from error

    def _post(self, report: FileReport) -> None:
        described = report.run_report.to_json()
        body = {"text": write_line(report), "file": report.name, **{name: described[name] for name in _WEBHOOK_KEYS}}
        try:
            post_json(self.settings.webhook_url, json.dumps(body), self.clock)
        except WebhookError as error:
            raise _translate(error, is_temporary=error.is_temporary) from error


def _translate(error: Exception, *, is_temporary: bool) -> Exception:
    return _TryAgainError(str(error)) if is_temporary else BulkUpdateError(str(error))


def write_subject(report: FileReport) -> str:
    """Return the subject of the mail: the file and its outcome."""
    return neutralise(f"bulkupdate: {report.name}: {report.sentence}")


def write_text(report: FileReport) -> str:
    """Return the mail's text."""
    run_report = report.run_report
    lines = [f"{report.name}: {report.sentence}"]
    lines += [report.reason] if report.reason else []
    lines += ["", f"Rows: {run_report.rows:,}"]
    lines += [f"  {status.value}: {count:,}" for status, count in run_report.counts.items() if count]
    lines += [f"Run: {run_report.run}"] if run_report.run else []
    lines += [f"File: {report.path}"]
    lines += [f"Next: {run_report.next_command}"] if run_report.next_command else []
    return "\n".join(map(neutralise, lines)) + "\n"


def write_line(report: FileReport) -> str:
    """Return the text of the webhook; characters special to Slack are escaped: a file name must mention nobody."""
    counts = ", ".join(f"{count:,} {status.value}" for status, count in report.run_report.counts.items() if count)
    text = neutralise(f"{report.name}: {report.sentence}" + (f" ({counts})" if counts else ""))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
