"""Notifications by mail and webhook: when, and what they say. Real servers on loopback."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.customers.row_reasons import RowReason
from bulkupdate.errors import BusyError, JournalError
from bulkupdate.nightly.left_files import LeftFile, LeftReason
from bulkupdate.nightly.notification_text import (
    write_file_post,
    write_file_subject,
    write_file_text,
    write_night_post,
    write_night_subject,
    write_night_text,
)
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.notices.delivery import TRIES
from bulkupdate.settings import Settings
from tests.nightly.receivers import Listener, PostOffice
from tests.nightly.sample_notifications import mail_settings, night_report, notify, report

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
        "text": "a.csv: finished (2 updated, 1 rejected)", "file": "a.csv", "outcome": "incomplete",
        "run": "20260114-093849-k3v9x2mq", "sent_before": "", "reasons": [],
        "state": "finished", "rows": 3, "counts": {"updated": 2, "rejected": 1}, "exit_code": 1,
        "next": "bulkupdate retry 20260114-093849-k3v9x2mq",
    }  # fmt: skip


def test_after_a_failed_notification_the_next_get_one_attempt_each(listener: Listener) -> None:
    """A dead server must not eat the night."""
    listener.answers = [503] * (TRIES + 2)
    notify(listener.settings, report(), report(), report(), report())
    assert listener.tries == TRIES + 3
    assert len(listener.posts) == 1


def test_a_channel_that_works_again_is_retried_again(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bulkupdate")
    listener.answers = [*[503] * TRIES, 200, 503, 503]
    notify(listener.settings, report(), report(), report())
    assert (listener.tries, len(listener.posts)) == (TRIES + 1 + 3, 2)
    assert caplog.messages.count("notification sent by webhook") == 2


# -- both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "codes"), [("always", [0, 1, 3, 4]), ("problems", [1, 3, 4]), ("never", [])])
def test_notifications_are_sent_always_on_problems_or_never(listener: Listener, wanted: str, codes: list[int]) -> None:
    notify(replace(listener.settings, notify=wanted), *(report(exit_code=code) for code in (0, 1, 3, 4)))
    assert [post["exit_code"] for post in listener.posts] == codes


def test_a_file_name_cannot_forge_headers_or_mentions(post_office: PostOffice, listener: Listener) -> None:
    name = "<!channel>\r\nBcc: x@example.com\x1b[31m.csv"
    notify(mail_settings(post_office.open(), webhook_url=listener.settings.webhook_url), report(name))
    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert listener.posts[0]["text"].startswith("&lt;!channel&gt;\\r\\nBcc")
    for text in (write_file_subject(report(name)), write_file_post(report(name))["text"]):
        assert text.isprintable()
    assert "\x1b" not in write_file_text(report(name, reason="\x1b[31m"))


REASONS = (
    RowReason(Status.REJECTED, "404 Customer 99999 was not found", 1, (5,)),
    RowReason(Status.INVALID, "IsWholesale: “Ann” is neither yes nor no", 1, (6,)),
)
SENT_BEFORE = "This content was sent before: 2026-01-13T22:00:00Z, run r, 3 of 3 rows updated."


def test_the_text_about_a_file_is_complete_and_has_no_empty_lines() -> None:
    full = report(reason="Why.", row_reasons=REASONS[:1], sent_before=SENT_BEFORE)
    assert write_file_text(full).splitlines() == [
        "a.csv: finished", "Why.", SENT_BEFORE, "", "Rows: 3", "  updated: 2", "  rejected: 1",
        "Why rows were not updated:", "  1 rejected: 404 Customer 99999 was not found (row 5)",
        "Run: 20260114-093849-k3v9x2mq", "File: done/a.csv", "Next: bulkupdate retry 20260114-093849-k3v9x2mq",
    ]  # fmt: skip
    nothing = replace(full.run_report, run=None, rows=0, counts={}, next_command=None, reasons=())
    bare = replace(full, run_report=nothing, reason="", sent_before="")
    assert write_file_text(bare) == "a.csv: finished\n\nRows: 0\nFile: done/a.csv\n"
    assert write_file_post(bare)["text"] == "a.csv: finished"


def test_the_text_about_a_night_is_complete() -> None:
    files = report(reason="Why.", row_reasons=REASONS[:1], sent_before=SENT_BEFORE), report("b.csv")
    finished = replace(files[1], run_report=replace(files[1].run_report, next_command=None))
    night = night_report(
        files[0], finished, left_files=(LEFT,), exit_code=4, error=JournalError("It broke.", remedy="Fix it.")
    )
    lines = write_night_text(night).splitlines()
    assert [line for line in lines if not line.startswith("Time: ")] == [
        night.describe(), "The night failed: It broke.", "Fix it.", "", "Folder: /srv/nightly", "",
        "a.csv: finished", "  Why.", f"  {SENT_BEFORE}", "  1 rejected: 404 Customer 99999 was not found (row 5)",
        "  Next: bulkupdate retry 20260114-093849-k3v9x2mq", "", "b.csv: finished", "",
        "Left behind:", "  inbox/open.csv: It has been open in Excel.",
    ]  # fmt: skip
    assert "left behind: inbox/open.csv: It has been open in Excel." in write_night_post(night)["text"].splitlines()


def test_a_subject_has_150_characters_at_most() -> None:
    assert len(write_file_subject(report("n" * 200))) == 150
    assert len(write_night_subject(night_report(error=JournalError("n" * 200)))) == 150


def test_mail_and_webhook_say_why_rows_were_not_updated_and_that_the_file_was_sent_before(
    post_office: PostOffice, listener: Listener
) -> None:
    settings = mail_settings(post_office.open(), webhook_url=listener.settings.webhook_url)
    notify(settings, report(exit_code=1, row_reasons=REASONS, sent_before=SENT_BEFORE))
    body = post_office.mails[0].get_body(("plain",)).get_content()
    assert "1 rejected: 404 Customer 99999 was not found (row 5)" in body
    assert "1 invalid: IsWholesale: “Ann” is neither yes nor no (row 6)" in body
    (post,) = listener.posts
    for text in (body, post["text"]):
        assert SENT_BEFORE in text
    assert post["reasons"] == ["1 rejected: 404 Customer 99999 was not found (row 5)"]  # no cell of the file
    assert "Ann" not in str(post)


# -- the night ------------------------------------------------------------------------------------------------------


LEFT = LeftFile("inbox/open.csv", LeftReason.OPEN, "It has been open in Excel.", 0.0)


def notify_night(settings: Settings, *reports: object, **given: object) -> None:
    notifier = Notifier(settings, Clock(), threading.Event(), first_wait=0.01)
    notifier.notify_night(night_report(*reports, **given))


def test_the_summary_of_a_night_is_one_mail_with_every_file_and_what_was_left(post_office: PostOffice) -> None:
    settings = mail_settings(post_office.open(), notify="summary")
    notify(settings, report(), report("b.csv"))
    assert post_office.mails == []
    notify_night(settings, report(), report("b.csv", row_reasons=REASONS), exit_code=1, left_files=(LEFT,))
    (mail,) = post_office.mails
    assert mail["Subject"] == (
        "bulkupdate nightly: 2 files (2 incomplete), 6 rows (4 updated, 2 rejected), "
        "1 file left behind (1 for more than a day), exit code 1"
    )
    body = mail.get_body(("plain",)).get_content()
    for text in (
        "a.csv: finished",
        "b.csv: finished",
        "404 Customer 99999",
        "inbox/open.csv: It has been open in Excel.",
    ):
        assert text in body


def test_the_post_of_a_night_says_why_without_quoting_a_cell(listener: Listener) -> None:
    stopped = report("c.csv", 4, reason="The service refused the login.", public_reason="The login was refused.")
    settings = replace(listener.settings, notify="summary")
    notify_night(settings, report("b.csv", reason="“Ann” is no heading", row_reasons=REASONS), stopped, exit_code=4)
    (post,) = listener.posts
    *_, name, reason, stopped_name, cause = post["text"].splitlines()
    assert (name, reason) == (
        "b.csv: finished (2 updated, 1 rejected)", "  1 rejected: 404 Customer 99999 was not found (row 5)"
    )  # fmt: skip
    assert (stopped_name, cause) == ("c.csv: finished (2 updated, 1 rejected)", "  The login was refused.")
    assert "Ann" not in post["text"]


@pytest.mark.parametrize("wanted", ["always", "problems", "summary"])
def test_a_night_that_fails_is_reported_by_mail_and_webhook(
    post_office: PostOffice, listener: Listener, wanted: str
) -> None:
    settings = mail_settings(post_office.open(), webhook_url=listener.settings.webhook_url, notify=wanted)
    notify_night(settings, exit_code=4, error=JournalError("The journal is damaged.", remedy="Restore a backup."))
    (mail,) = post_office.mails
    assert mail["Subject"] == "bulkupdate nightly: the night failed: The journal is damaged."
    assert "Restore a backup." in mail.get_body(("plain",)).get_content()
    assert listener.posts[0]["night"] is True
    assert "The journal is damaged." in listener.posts[0]["text"]


@pytest.mark.parametrize("wanted", ["always", "problems"])
def test_a_night_is_reported_if_a_file_waits_for_more_than_a_day_and_not_otherwise(
    listener: Listener, wanted: str
) -> None:
    settings = replace(listener.settings, notify=wanted)
    notify_night(settings, report())
    notify_night(settings, left_files=(replace(LEFT, since=night_report().ended - 3600),))
    assert listener.posts == []
    notify_night(settings, left_files=(LEFT,), exit_code=1)
    assert listener.posts[0]["left"][0]["overdue"] is True


def test_files_are_attached_once(post_office: PostOffice, tmp_path: Path) -> None:
    results = tmp_path / "results.xlsx"
    results.write_bytes(b"PK")
    port = post_office.open()
    for wanted in ("summary", "always"):
        notify_night(mail_settings(port, notify=wanted), report(files=(results,)), left_files=(LEFT,))
    summary, other = post_office.mails
    assert [each.get_filename() for each in summary.iter_attachments()] == ["results.xlsx"]
    assert list(other.iter_attachments()) == []  # the mail about the file has them


@pytest.mark.parametrize(("files", "last"), [(30, "29.csv: finished (2 updated, 1 rejected)"), (31, "… and 1 more")])
def test_thirty_lines_are_posted_of_a_night(files: int, last: str) -> None:
    night = night_report(*[report(f"{number}.csv") for number in range(files)])
    assert write_night_post(night)["text"].splitlines()[-1] == last


def test_a_long_night_is_cut_for_chat_services(listener: Listener) -> None:
    notify_night(replace(listener.settings, notify="summary"), *[report(f"{number}.csv") for number in range(35)])
    (post,) = listener.posts
    assert post["files"] == 35
    assert post["text"].endswith("29.csv: finished (2 updated, 1 rejected)\n… and 5 more")


def test_a_night_that_finds_the_folder_in_use_leaves_the_report_to_the_other(listener: Listener) -> None:
    for wanted in ("always", "summary"):
        notify_night(replace(listener.settings, notify=wanted), exit_code=5, error=BusyError("The folder is in use."))
    assert listener.tries == 0


def test_never_means_never(listener: Listener) -> None:
    notify_night(replace(listener.settings, notify="never"), exit_code=4, error=JournalError("damaged"))
    assert listener.tries == 0


def test_with_unusable_mail_settings_no_mail_is_tried(post_office: PostOffice) -> None:
    """A login that would be sent unencrypted ends the night; to report that must not send it."""
    settings = mail_settings(post_office.open(), mail_from="", notify="summary")
    notify_night(settings)
    assert post_office.tries == 0
