"""Check what a night needs: its folder, and the ways in which it notifies users and monitoring."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError, StoppedError, UsageError
from bulkupdate.nightly.folder import NightFolder
from bulkupdate.nightly.folder_lock import hold_folder
from bulkupdate.nightly.heartbeat import Signal, request_heartbeat
from bulkupdate.nightly.inbox import SettledInbox, list_waiting_files
from bulkupdate.nightly.left_files import InboxHistory, LeftReason, find_left_files
from bulkupdate.nightly.remote_folder import RemoteFolder, find_local_root
from bulkupdate.notices.delivery import DeliveryError
from bulkupdate.notices.smtp import SmtpSender
from bulkupdate.notices.webhook import post_json
from bulkupdate.remote.address import Address
from bulkupdate.runs.journal import Journal
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize

TEST_TEXT = "bulkupdate nightly: this is a test notification, sent by bulkupdate doctor."
_NOT_TRIED = "is set, but was not tried; add --send-test"


@dataclass(frozen=True)
class Preflight:
    """Checks the nightly folder `root` and the notifications of `settings`.

    `send_test`: send a test mail, post a test notification and request the heartbeat address.
    """

    root: Path | Address
    settings: Settings
    send_test: bool
    clock: Clock

    @property
    def checks(self) -> dict[str, Callable[[], str]]:
        """The checks by name. Each returns what it found, or raises a `BulkUpdateError`."""
        return {
            "folder": self.check_folder,
            "mail": lambda: _translate(self.check_mail),
            "webhook": lambda: _translate(self.check_webhook),
            "heartbeat": lambda: _translate(self.check_heartbeat),
        }

    def check_folder(self) -> str:
        """Check that files can be claimed and archived, and count those that wait.

        Raises `UsageError`, and `StoppedError` if a folder elsewhere cannot be used.
        """
        if isinstance(self.root, Address):
            local = NightFolder(find_local_root(self.root, self.settings.state_dir), create=True)
            return RemoteFolder(self.root, local, self.settings).check()
        folder = NightFolder(self.root)
        try:
            with (
                Journal(self.settings.store, self.clock, checks_pages=False) as journal,
                hold_folder(folder.state_folder, self.clock, journal.home),
            ):
                _try_move(folder)
        except BusyError as error:
            return str(error)
        ready = list_waiting_files(folder.inbox)
        history = InboxHistory(SettledInbox(tuple(ready)))
        left_files = find_left_files(folder, history, self.clock.now(), is_cut_short=True)
        blocked = [left_file for left_file in left_files if left_file.reason is not LeftReason.NOT_REACHED]
        reasons = "".join(f"\n      {left_file.name}: {left_file.message}" for left_file in blocked)
        return f"{folder.root} is ready; {pluralize(len(left_files) - len(blocked), 'file')} to send{reasons}"

    def check_mail(self) -> str:
        """Log in at the mail server. Raises `UsageError` and `DeliveryError`."""
        if not self.settings.mail_host:
            return "not set (BULKUPDATE_MAIL_HOST)"
        sender = SmtpSender(self.settings, self.clock)
        sender.check()
        if not self.send_test:
            sender.try_login()
            return f"{self.settings.mail_host} is ready; no mail was sent; add --send-test"
        sender.send("bulkupdate nightly: test", f"{TEST_TEXT}\n", ())
        return f"test mail sent to {', '.join(sender.recipients)}"

    def check_webhook(self) -> str:
        """Post a test notification. Raises `UsageError` and `DeliveryError`."""
        if not self.settings.webhook_url:
            return "not set (BULKUPDATE_WEBHOOK_URL)"
        if not self.send_test:
            return _NOT_TRIED
        post_json(self.settings.webhook_url, json.dumps({"text": TEST_TEXT}), self.clock)
        return "accepted a test notification"

    def check_heartbeat(self) -> str:
        """Request the heartbeat address. Raises `UsageError` and `DeliveryError`."""
        if not self.settings.heartbeat_url:
            return "not set (BULKUPDATE_HEARTBEAT_URL)"
        if not self.send_test:
            return _NOT_TRIED
        request_heartbeat(self.settings.heartbeat_url, Signal.SUCCESS, self.clock)
        return "answered; the monitoring service counts it as a successful night"


def _translate(check: Callable[[], str]) -> str:
    """Return what the check found. Raises `StoppedError` for a mail or request that was not accepted."""
    try:
        return check()
    except DeliveryError as error:
        remedy = "Correct its settings: `bulkupdate help settings` lists them."
        raise StoppedError(f"It failed: {error}.", remedy=remedy) from None


def _try_move(folder: NightFolder) -> None:
    """Move a hidden file from the inbox to `working/`. Raises `UsageError` if that fails."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder.inbox, prefix=".bulkupdate-", delete=False) as stream:
            probe = Path(stream.name)
        moved = folder.working / probe.name
        try:
            probe.rename(moved)
        finally:
            probe.unlink(missing_ok=True)
            moved.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"A file cannot be moved from {folder.inbox} to {folder.working}: {error.strerror or error}.",
            remedy="Both must be on the same disk, and the user of the program needs permission to write to both.",
        ) from error
