"""Send a notification by mail (SMTP), with the results attached if they are small enough."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from mimetypes import guess_type
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.network import is_loopback
from bulkupdate.notices.delivery import delivery_error
from bulkupdate.settings import Settings

SEND_SECONDS = 30.0
PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class SmtpSender:
    """Sends mail through the server of the settings."""

    settings: Settings
    clock: Clock

    @property
    def recipients(self) -> list[str]:
        """The addresses in `mail_to`."""
        return [address for part in self.settings.mail_to.split(",") if (address := part.strip())]

    def check(self) -> None:
        """Raise `UsageError` if mail could not be sent with these settings, or the login would be sent unencrypted."""
        if not self.settings.mail_from or not self.recipients:
            raise UsageError(
                "A mail server is set, but BULKUPDATE_MAIL_FROM or BULKUPDATE_MAIL_TO is missing.",
                remedy="Set both, or remove BULKUPDATE_MAIL_HOST to send no mail.",
            )
        if (
            self.settings.mail_username
            and self.settings.mail_security == "none"
            and not is_loopback(self.settings.mail_host)
        ):
            raise UsageError(
                "The login of the mail server would be sent unencrypted.",
                remedy="Set BULKUPDATE_MAIL_SECURITY to starttls or tls.",
            )

    def try_login(self) -> None:
        """Connect and log in without sending a mail. Raises `DeliveryError`, whose message holds no password."""
        with _translated_errors(), self._connect() as server:
            self._log_in(server)
            server.noop()

    def send(self, subject: str, text: str, files: Sequence[Path], to: Sequence[str] = ()) -> None:
        """Send one mail, in one attempt; `to` empty: to the recipients of the settings.

        Raises `DeliveryError`, whose message never contains the password.
        """
        recipients = to or self.recipients
        with _translated_errors():
            message = self._write(subject, text, files, recipients)
            with self._connect() as server:
                self._log_in(server)
                server.send_message(message, self.settings.mail_from, recipients)

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self.settings.mail_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if self.settings.mail_username:
            server.login(self.settings.mail_username, self.settings.mail_password.reveal())

    def _connect(self) -> smtplib.SMTP:
        settings = self.settings
        port = settings.mail_port or PORTS[settings.mail_security]
        if settings.mail_security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(settings.mail_host, port, timeout=SEND_SECONDS, context=context)
        return smtplib.SMTP(settings.mail_host, port, timeout=SEND_SECONDS)

    def _write(self, subject: str, text: str, files: Sequence[Path], recipients: Sequence[str]) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = self.settings.mail_from
        message["To"] = ", ".join(recipients)
        message["Date"] = formatdate(self.clock.now())
        message["Message-ID"] = make_msgid(domain="bulkupdate.invalid")
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
        is_attached = self._fits(files)
        message.set_content(text + _name_files(files, is_attached=is_attached))
        for path in files if is_attached else ():
            main_type, subtype = (guess_type(path.name)[0] or "application/octet-stream").split("/")
            message.add_attachment(path.read_bytes(), maintype=main_type, subtype=subtype, filename=path.name)
        return message

    def _fits(self, files: Sequence[Path]) -> bool:
        return sum(path.stat().st_size for path in files) <= self.settings.mail_attach_bytes


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPAuthenticationError:
        raise delivery_error("the mail server refused the login", is_temporary=False) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise delivery_error(_describe_error(error), is_temporary=_is_temporary(error)) from error


def _name_files(files: Sequence[Path], *, is_attached: bool) -> str:
    if not files:
        return ""
    names = "".join(f"\n  {path}" for path in files)
    return f"\n{'Attached' if is_attached else 'Too large to attach; on the server'}:{names}\n"


def _is_temporary(error: Exception) -> bool:
    """Return whether another attempt may succeed: not after a 5xx answer, a bad certificate or a faulty message."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code < 500
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code < 500 for code, _ in error.recipients.values())
    return not isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError | ValueError)


def _describe_error(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the mail server refused the recipients"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the mail server is not trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server does not offer STARTTLS or a login"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"no connection to the mail server: {reason or type(error).__name__}"
