"""Notices arrive by mail and webhook, say nothing they should not, and never fail a run. Real servers on loopback."""

from __future__ import annotations

import ssl
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Problem, Status
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.logs import logging_to
from bulkupdate.nightly.notifications import TRIES, Notices, write_line, write_subject, write_text
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.run_report import RunReport
from bulkupdate.settings import Secret, Settings
from tests.nightly.receivers import PASSWORD, Listener, PostOffice


def report(name: str = "a.csv", exit_code: int = 0, files: tuple[Path, ...] = (), reason: str = "") -> FileReport:
    problem = Problem(2, "163", "Name", "Ann", "email", "Ann", "Ann")
    run_report = RunReport(
        run="20260114-093849-k3v9x2mq", file="a.csv", state=RunState.FINISHED, exit_code=ExitCode(exit_code), rows=3,
        counts={Status.UPDATED: 2, Status.REJECTED: 1}, problems=(problem,),
        next_command="bulkupdate retry 20260114-093849-k3v9x2mq",
    )  # fmt: skip
    return FileReport(name, Path("done/a.csv"), run_report, files, "finished", reason)


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


def mail_settings(port: int, **more: Any) -> Settings:
    given = {
        "mail_host": "127.0.0.1", "mail_port": port, "mail_security": "none", "mail_from": "night@example.com",
        "mail_to": "ops@example.com, boss@example.com", **more,
    }  # fmt: skip
    return Settings(**given)


def tell(settings: Settings, *reports: FileReport) -> None:
    notices = Notices(settings, Clock(), threading.Event(), first_wait=0.01)
    notices.check()
    for each in reports:
        notices.notify(each)


# -- mail -----------------------------------------------------------------------------------------------------------


def test_a_mail_says_what_happened_and_brings_the_results(post_office: PostOffice, tmp_path: Path) -> None:
    results = tmp_path / "results.xlsx"
    results.write_bytes(b"PK\x03\x04 a workbook")
    tell(mail_settings(post_office.open()), report(files=(results,), exit_code=1))
    (mail,) = post_office.mails
    assert mail["Subject"] == "bulkupdate: a.csv: finished"
    assert mail["To"] == "ops@example.com, boss@example.com"
    body = mail.get_body(("plain",)).get_content()
    assert "updated: 2" in body
    assert "bulkupdate retry 20260114-093849-k3v9x2mq" in body
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "results.xlsx"
    assert attached.get_content() == results.read_bytes()
    assert attached.get_content_type() == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(("limit", "count"), [(10, 1), (9, 0), (0, 0)])
def test_results_over_the_limit_are_only_named(post_office: PostOffice, tmp_path: Path, limit: int, count: int) -> None:
    results = tmp_path / "results.xlsx"
    results.write_bytes(b"0123456789")
    tell(mail_settings(post_office.open(), mail_attach_bytes=limit), report(files=(results,)))
    (mail,) = post_office.mails
    assert len(list(mail.iter_attachments())) == count
    assert str(results) in mail.get_body(("plain",)).get_content()


def test_a_busy_mail_server_is_tried_again(post_office: PostOffice) -> None:
    post_office.answers = ["451 later", "421 later"]
    tell(mail_settings(post_office.open()), report())
    assert len(post_office.mails) == 1
    assert post_office.tries == 3


def test_a_refused_mail_is_not(post_office: PostOffice, capsys: pytest.CaptureFixture[str]) -> None:
    post_office.answers = ["554 no"] * 9
    with logging_to(None, "text", "info", quiet=False):
        tell(mail_settings(post_office.open()), report())
    assert post_office.tries == 1
    assert "the notice by mail failed: the mail server answered 554" in capsys.readouterr().err


def test_mail_over_starttls_and_tls_with_a_login(
    post_office: PostOffice, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    options = {"authenticator": post_office.check_login, "auth_require_tls": False}
    login = {"mail_username": "night", "mail_password": Secret(PASSWORD)}
    port = post_office.open(tls_context=context_of(certificate), require_starttls=True, **options)
    tell(mail_settings(port, mail_security="starttls", **login), report())
    port = post_office.open(ssl_context=context_of(certificate), **options)
    tell(mail_settings(port, mail_security="tls", **login), report())
    assert len(post_office.mails) == 2
    assert post_office.logins == [PASSWORD.encode()] * 2


def test_a_mail_server_with_a_foreign_certificate_gets_nothing(
    post_office: PostOffice, certificate: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    port = post_office.open(tls_context=context_of(certificate), authenticator=post_office.check_login)
    login = {"mail_username": "night", "mail_password": Secret(PASSWORD)}
    with logging_to(None, "text", "debug", quiet=False):
        tell(mail_settings(port, mail_security="starttls", **login), report())
    assert not post_office.mails
    assert not post_office.logins
    assert "certificate" in capsys.readouterr().err


def test_a_server_without_starttls_is_not_spoken_to_in_the_clear(post_office: PostOffice) -> None:
    tell(mail_settings(post_office.open(), mail_security="starttls"), report())
    assert post_office.mails == []


def test_a_wrong_login_is_tried_once_and_its_password_told_nobody(
    post_office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    port = post_office.open(authenticator=post_office.check_login, auth_require_tls=False)
    login = {"mail_username": "night", "mail_password": Secret("wrong-and-secret")}
    with logging_to(None, "text", "debug", quiet=False):
        tell(mail_settings(port, **login), report())
    assert set(post_office.logins) == {b"wrong-and-secret"}  # smtplib offers it in each way the server knows
    said = capsys.readouterr().err
    assert "refuses the login" in said
    assert "wrong-and-secret" not in said


def test_mail_settings_that_cannot_work_are_found_before_the_night() -> None:
    login = {"mail_username": "night", "mail_password": Secret(PASSWORD)}
    for settings in (
        mail_settings(25, mail_to=""),
        mail_settings(25, mail_from=""),
        mail_settings(25, mail_host="mail.example.com", **login),
    ):
        with pytest.raises(UsageError):
            Notices(settings, Clock(), threading.Event()).check()


# -- webhook --------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_a_text_for_people_and_figures_for_programs(listener: Listener) -> None:
    tell(listener.settings, report(exit_code=1, reason="quotes Ann"))
    (post,) = listener.posts
    assert post == {
        "text": "a.csv: finished (2 updated, 1 rejected)", "file": "a.csv", "run": "20260114-093849-k3v9x2mq",
        "state": "finished", "rows": 3, "counts": {"updated": 2, "rejected": 1}, "exit_code": 1,
        "next": "bulkupdate retry 20260114-093849-k3v9x2mq",
    }  # fmt: skip


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_webhook_is_tried_again(listener: Listener, status: int) -> None:
    listener.answers = [status, status]
    tell(listener.settings, report())
    assert listener.tries == 3
    assert len(listener.posts) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 302, 307])
def test_a_webhook_that_refuses_is_not_and_redirects_are_not_followed(listener: Listener, status: int) -> None:
    listener.answers = [status] * 9
    tell(listener.settings, report())
    assert listener.tries == 1


def test_a_webhooks_address_is_told_nobody(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.answers = [400]
    with logging_to(None, "text", "debug", quiet=False):
        tell(listener.settings, report())
    listener.close()
    with logging_to(None, "text", "debug", quiet=False):
        tell(listener.settings, report())
    said = capsys.readouterr()
    assert said.err.count("the notice by webhook failed") == 2
    assert "T0ken" not in said.err + said.out + repr(listener.settings) + str(listener.settings.describe())


def test_after_a_notice_was_given_up_the_next_files_get_one_try_each(listener: Listener) -> None:
    """A dead server must not eat the night."""
    listener.answers = [503] * (TRIES + 2)
    tell(listener.settings, report(), report(), report(), report())
    assert listener.tries == TRIES + 3
    assert len(listener.posts) == 1


def test_a_webhook_address_that_is_none_fails_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(None, "text", "debug", quiet=False):
        tell(Settings(webhook_url=Secret("nonsense-T0ken")), report())
    assert "the notice by webhook failed" in (said := capsys.readouterr().err)
    assert "T0ken" not in said


# -- both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "told"), [("always", [0, 1, 3, 4]), ("problems", [1, 3, 4]), ("never", [])])
def test_notices_are_sent_always_on_problems_or_never(listener: Listener, wanted: str, told: list[int]) -> None:
    tell(replace(listener.settings, notify=wanted), *(report(exit_code=code) for code in (0, 1, 3, 4)))
    assert [post["exit_code"] for post in listener.posts] == told


def test_a_file_name_forges_no_header_and_calls_nobody(post_office: PostOffice, listener: Listener) -> None:
    name = "<!channel>\r\nBcc: x@example.com\x1b[31m.csv"
    tell(mail_settings(post_office.open(), webhook_url=listener.settings.webhook_url), report(name))
    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert listener.posts[0]["text"].startswith("&lt;!channel&gt;\\r\\nBcc")
    for text in (write_subject(report(name)), write_line(report(name))):
        assert text.isprintable()
    assert "\x1b" not in write_text(report(name, reason="\x1b[31m"))
