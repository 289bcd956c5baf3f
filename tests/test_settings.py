"""Command line over environment over file; secrets show nowhere."""

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.settings import Secret, Settings, load_settings, without_credentials


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda app: str(tmp_path / "config"))
    return tmp_path


def test_command_line_beats_environment_beats_file(empty_folder):
    (empty_folder / "bulkupdate.toml").write_text('concurrency = 2\ntimeout = 9\nusername = "file"\n')
    environment = {"BULKUPDATE_CONCURRENCY": "3", "BULKUPDATE_TIMEOUT": "8"}
    settings = load_settings({"concurrency": "4"}, environment)
    assert (settings.concurrency, settings.timeout, settings.username) == (4, 8.0, "file")


def test_working_folder_beats_the_users_config_folder(empty_folder):
    (empty_folder / "config").mkdir()
    (empty_folder / "config" / "bulkupdate.toml").write_text('username = "far"')
    assert load_settings({}, {}).username == "far"
    (empty_folder / "bulkupdate.toml").write_text('username = "near"')
    assert load_settings({}, {}).username == "near"


def test_the_file_maps_headings(empty_folder):
    (empty_folder / "bulkupdate.toml").write_text('[map]\nKundennr = "CustomerId"\n')
    assert load_settings({}, {}).heading_map == {"Kundennr": "CustomerId"}


def test_the_password_comes_from_a_file_without_its_line_end(empty_folder):
    (empty_folder / "secret").write_text("pass word\n")
    settings = load_settings({}, {"BULKUPDATE_PASSWORD_FILE": str(empty_folder / "secret")})
    assert settings.password.reveal() == "pass word"


def test_secrets_do_not_show():
    settings = Settings(password=Secret("hunter2"), base_url="https://me:hunter2@example.com/rest/api")
    assert "hunter2" not in repr(settings.password)
    assert "hunter2" not in repr(settings.describe())
    assert "hunter2" not in f"{settings.password}"
    assert without_credentials("https://example.com/rest/api") == "https://example.com/rest/api"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"BULKUPDATE_CONCURRENCY": "many"}, "BULKUPDATE_CONCURRENCY is 'many'; it must be a whole number"),
        ({"BULKUPDATE_CONCURRENCY": "0"}, "at least 1"),
        ({"BULKUPDATE_RATING_FORMAT": "colour"}, "one of: name, code"),
        ({"BULKUPDATE_WHOLESALE_NEEDS_BUSINESS_NAME": "perhaps"}, "true or false"),
        ({"BULKUPDATE_TIMEOUT": "nan"}, "at least"),
        ({"BULKUPDATE_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_its_place(environment, words):
    with pytest.raises(UsageError, match=words):
        load_settings({}, environment)


@pytest.mark.parametrize(("text", "words"), [("concurency = 2", "concurency"), ("= 3", "TOML")])
def test_a_broken_settings_file_is_refused(empty_folder, text, words):
    (empty_folder / "bulkupdate.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        load_settings({}, {})


def test_a_settings_file_that_was_named_must_exist(empty_folder):
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings({}, {}, empty_folder / "none.toml")


def test_what_is_missing_to_reach_the_service_is_said_all_at_once():
    with pytest.raises(UsageError) as missing:
        Settings().require_connection()
    for name in ("BULKUPDATE_BASE_URL", "BULKUPDATE_USERNAME", "BULKUPDATE_PASSWORD"):
        assert name in str(missing.value)
