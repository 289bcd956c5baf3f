"""Notifications by mail and webhook: when, and what they say. Real servers on loopback."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.nightly.notifications import TRIES, write_line, write_subject, write_text
from tests.nightly.receivers import Listener, PostOffice
from tests.nightly.sample_notifications import mail_settings, notify, report

# -- mail -----------------------------------------------------------------------------------------------------------


def test_a_mail_has_the_outcome_and_the_results(post_office: PostOffice, tmp_path: Path) -> None:
    results = tmp_path / "results.xlsx"
    results.write_bytes(b"PK\x03\x04 a workbook")
    notify(mail_settings(post_office.open()), report(files=(results,), exit_code=1))
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


# -- webhook --------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_text_and_figures(listener: Listener) -> None:
    notify(listener.settings, report(exit_code=1, reason="quotes Ann"))
    (post,) = listener.posts
    assert post == {
        "text": "a.csv: finished (2 updated, 1 rejected)", "file": "a.csv", "run": "20260114-093849-k3v9x2mq",
        "state": "finished", "rows": 3, "counts": {"updated": 2, "rejected": 1}, "exit_code": 1,
        "next": "bulkupdate retry 20260114-093849-k3v9x2mq",
    }  # fmt: skip


def test_after_a_failed_notification_the_next_get_one_attempt_each(listener: Listener) -> None:
    """A dead server must not eat the night."""
    listener.answers = [503] * (TRIES + 2)
    notify(listener.settings, report(), report(), report(), report())
    assert listener.tries == TRIES + 3
    assert len(listener.posts) == 1


# -- both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "told"), [("always", [0, 1, 3, 4]), ("problems", [1, 3, 4]), ("never", [])])
def test_notifications_are_sent_always_on_problems_or_never(listener: Listener, wanted: str, told: list[int]) -> None:
    notify(replace(listener.settings, notify=wanted), *(report(exit_code=code) for code in (0, 1, 3, 4)))
    assert [post["exit_code"] for post in listener.posts] == told


def test_a_file_name_cannot_forge_headers_or_mentions(post_office: PostOffice, listener: Listener) -> None:
    name = "<!channel>\r\nBcc: x@example.com\x1b[31m.csv"
    notify(mail_settings(post_office.open(), webhook_url=listener.settings.webhook_url), report(name))
    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert listener.posts[0]["text"].startswith("&lt;!channel&gt;\\r\\nBcc")
    for text in (write_subject(report(name)), write_line(report(name))):
        assert text.isprintable()
    assert "\x1b" not in write_text(report(name, reason="\x1b[31m"))
