"""The table of settings: bounds, what is missing, and secrets that show nowhere."""

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.network import without_credentials
from bulkupdate.redaction import Secret
from bulkupdate.settings import SETTINGS, Settings


def test_secrets_do_not_show():
    settings = Settings(password=Secret("hunter2"), base_url="https://me:hunter2@example.com/rest/api")
    assert "hunter2" not in repr(settings.password)
    assert "hunter2" not in repr(settings.describe())
    assert "hunter2" not in f"{settings.password}"
    assert without_credentials("https://example.com/rest/api") == "https://example.com/rest/api"


def test_every_number_has_a_least_and_a_most():
    for each in SETTINGS:
        is_number = each.type in ("int", "float")
        assert ((each.metadata["least"] is not None), (each.metadata["most"] is not None)) == (is_number, is_number)
        if is_number:
            assert each.metadata["least"] <= each.default <= each.metadata["most"]


def test_what_is_missing_to_reach_the_service_is_said_all_at_once():
    with pytest.raises(UsageError) as missing:
        Settings().require_connection()
    for name in ("BULKUPDATE_BASE_URL", "BULKUPDATE_USERNAME", "BULKUPDATE_PASSWORD"):
        assert name in str(missing.value)
    assert "Set them" in missing.value.remedy
    with pytest.raises(UsageError) as missing:
        Settings(team="acme", username="me").require_connection()
    assert "this setting is missing: BULKUPDATE_PASSWORD" in str(missing.value)
    assert "Set it" in missing.value.remedy


def test_what_is_kept_with_a_run_holds_no_setting_of_the_page_or_the_notices():
    kept = set(Settings().describe())
    assert {"base_url", "concurrency", "max_rows"} <= kept
    assert not kept & {"admins", "notify", "mail_host", "webhook_url", "password", "password_file", "state_dir"}
