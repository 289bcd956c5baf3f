"""Mail over real servers on loopback: encryption, login, attachments, temporary and final errors."""

from __future__ import annotations

import smtplib
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.nightly.logs import logging_to
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.notices.smtp import PORTS, _is_temporary
from bulkupdate.redaction import Secret
from tests.nightly.receivers import PASSWORD, PostOffice
from tests.nightly.sample_notifications import mail_settings, notify, report


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed: no certificate to try mail over TLS with")
    return certificate, key


def context_of(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.mark.parametrize(("limit", "count"), [(10, 1), (9, 0), (0, 0)])
def test_results_over_the_limit_are_only_named(post_office: PostOffice, tmp_path: Path, limit: int, count: int) -> None:
    results = tmp_path / "results.xlsx"
    results.write_bytes(b"0123456789")
    notify(mail_settings(post_office.open(), mail_attach_bytes=limit), report(files=(results,)))
    (mail,) = post_office.mails
    assert len(list(mail.iter_attachments())) == count
    assert str(results) in mail.get_body(("plain",)).get_content()


def test_a_temporary_error_of_the_mail_server_is_retried(post_office: PostOffice) -> None:
    post_office.answers = ["451 later", "421 later"]
    notify(mail_settings(post_office.open()), report())
    assert len(post_office.mails) == 1
    assert post_office.tries == 3


def test_a_refused_mail_is_not_retried(post_office: PostOffice, capsys: pytest.CaptureFixture[str]) -> None:
    post_office.answers = ["554 no"] * 9
    with logging_to(None, "text", "info", quiet=False):
        notify(mail_settings(post_office.open()), report())
    assert post_office.tries == 1
    assert "notification by mail failed: the mail server answered 554" in capsys.readouterr().err


def test_mail_over_starttls_and_tls_with_a_login(
    post_office: PostOffice, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    options = {"authenticator": post_office.check_login, "auth_require_tls": False}
    login = {"mail_username": "night", "mail_password": Secret(PASSWORD)}
    port = post_office.open(tls_context=context_of(certificate), require_starttls=True, **options)
    notify(mail_settings(port, mail_security="starttls", **login), report())
    port = post_office.open(ssl_context=context_of(certificate), **options)
    notify(mail_settings(port, mail_security="tls", **login), report())
    assert len(post_office.mails) == 2
    assert post_office.logins == [PASSWORD.encode()] * 2


def test_a_mail_server_with_an_untrusted_certificate_gets_nothing(
    post_office: PostOffice, certificate: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    port = post_office.open(tls_context=context_of(certificate), authenticator=post_office.check_login)
    login = {"mail_username": "night", "mail_password": Secret(PASSWORD)}
    with logging_to(None, "text", "debug", quiet=False):
        notify(mail_settings(port, mail_security="starttls", **login), report())
    assert not post_office.mails
    assert not post_office.logins
    assert "certificate" in capsys.readouterr().err


def test_nothing_is_sent_unencrypted_to_a_server_without_starttls(post_office: PostOffice) -> None:
    notify(mail_settings(post_office.open(), mail_security="starttls"), report())
    assert post_office.mails == []


def test_a_wrong_mail_login_is_tried_once_and_not_shown(
    post_office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    port = post_office.open(authenticator=post_office.check_login, auth_require_tls=False)
    login = {"mail_username": "night", "mail_password": Secret("wrong-and-secret")}
    with logging_to(None, "text", "debug", quiet=False):
        notify(mail_settings(port, **login), report())
    assert set(post_office.logins) == {b"wrong-and-secret"}  # smtplib offers it in each way the server knows
    said = capsys.readouterr().err
    assert "refused the login" in said
    assert "wrong-and-secret" not in said


def test_unusable_mail_settings_are_refused() -> None:
    login = {"mail_username": "night", "mail_password": Secret(PASSWORD)}
    for settings in (
        mail_settings(25, mail_to=""),
        mail_settings(25, mail_from=""),
        mail_settings(25, mail_host="mail.example.com", **login),
    ):
        with pytest.raises(UsageError):
            Notifier(settings, Clock(), threading.Event()).check()


def test_the_port_follows_from_the_security() -> None:
    assert PORTS == {"starttls": 587, "tls": 465, "none": 25}


@pytest.mark.parametrize(
    ("error", "is_temporary"),
    [
        (smtplib.SMTPDataError(451, b"later"), True),
        (smtplib.SMTPDataError(500, b"never"), False),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no"), "b@example.com": (450, b"later")}), True),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no")}), False),
        (smtplib.SMTPServerDisconnected(), True),
        (ConnectionRefusedError(), True),
        (smtplib.SMTPNotSupportedError(), False),
        (ssl.SSLCertVerificationError(), False),
        (ValueError(), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Exception, is_temporary: bool) -> None:
    assert _is_temporary(error) is is_temporary
