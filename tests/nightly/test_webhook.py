"""Webhooks: what is retried, and that the address is never shown."""

from __future__ import annotations

import pytest

from bulkupdate.nightly.logs import logging_to
from bulkupdate.redaction import Secret
from bulkupdate.settings import Settings
from tests.nightly.receivers import Listener
from tests.nightly.sample_notifications import notify, report


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_temporary_error_of_the_webhook_is_retried(listener: Listener, status: int) -> None:
    listener.answers = [status, status]
    notify(listener.settings, report())
    assert listener.tries == 3
    assert len(listener.posts) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 302, 307])
def test_a_refusal_of_the_webhook_is_final_and_redirects_are_not_followed(listener: Listener, status: int) -> None:
    listener.answers = [status] * 9
    notify(listener.settings, report())
    assert listener.tries == 1


def test_the_address_of_the_webhook_is_not_shown(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.answers = [400]
    with logging_to(None, "text", "debug", quiet=False):
        notify(listener.settings, report())
    listener.close()
    with logging_to(None, "text", "debug", quiet=False):
        notify(listener.settings, report())
    said = capsys.readouterr()
    assert said.err.count("notification by webhook failed") == 2
    assert "T0ken" not in said.err + said.out + repr(listener.settings) + str(listener.settings.describe())


def test_an_invalid_webhook_address_fails_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(None, "text", "debug", quiet=False):
        notify(Settings(webhook_url=Secret("nonsense-T0ken")), report())
    assert "notification by webhook failed" in (said := capsys.readouterr().err)
    assert "T0ken" not in said
