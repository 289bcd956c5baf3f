"""Command line over environment over file, and what is wrong in them."""

import codecs

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.settings import SETTINGS
from bulkupdate.settings_sources import load_notification_settings, load_settings, user_config_path

NUMBERS = [each.name.upper() for each in SETTINGS if each.metadata["least"] is not None]


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


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"BULKUPDATE_CONCURRENCY": "many"}, "BULKUPDATE_CONCURRENCY is 'many'; it must be a whole number"),
        ({"BULKUPDATE_CONCURRENCY": "0"}, "at least 1"),
        ({"BULKUPDATE_RATING_FORMAT": "colour"}, "one of: name, code"),
        ({"BULKUPDATE_WHOLESALE_NEEDS_BUSINESS_NAME": "perhaps"}, "true or false"),
        ({"BULKUPDATE_TIMEOUT": "nan"}, "at least"),
        ({"BULKUPDATE_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
        *(({f"BULKUPDATE_{name}": "inf"}, f"BULKUPDATE_{name} is 'inf'") for name in NUMBERS),
        *(({f"BULKUPDATE_{name}": "nan"}, f"BULKUPDATE_{name} is 'nan'") for name in NUMBERS),
        *(({f"BULKUPDATE_{name}": "9" * 20}, f"BULKUPDATE_{name} is '9+'; it must be at most") for name in NUMBERS),
        *(({f"BULKUPDATE_{name}": "9" * 5000}, f"BULKUPDATE_{name} is '9{{59}}…'") for name in NUMBERS),
        ({"BULKUPDATE_TIMEOUT": "1e10"}, "at most 3600"),
        ({"BULKUPDATE_PASSWORD": "pass\udcffword"}, "BULKUPDATE_PASSWORD holds bytes that are not UTF-8 text"),
        ({"BULKUPDATE_USERNAME": "k\udcff"}, "BULKUPDATE_USERNAME holds bytes"),
        ({"BULKUPDATE_STATE_DIR": "/tmp/k\udcff"}, "BULKUPDATE_STATE_DIR holds bytes"),
        ({"BULKUPDATE_PASSWORD_FILE": "/tmp/k\udcff"}, "BULKUPDATE_PASSWORD_FILE holds bytes"),
        ({"BULKUPDATE_STATE_DIR": "~nobody-of-that-name/x"}, "its home folder is not known"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_its_place(environment, words):
    with pytest.raises(UsageError, match=words):
        load_settings({}, environment)


@pytest.mark.parametrize("value", ["12345678", "1.5", "true", '["a"]', "{a = 1}", "2026-11-24", "inf"])
@pytest.mark.parametrize("name", ["password", "username", "webhook_url", "state_dir", "team", "mail_password", "map"])
def test_a_text_of_the_settings_file_must_be_a_text(empty_folder, name, value):
    (empty_folder / "bulkupdate.toml").write_text(f"{name} = {value}\n")
    with pytest.raises(UsageError) as caught:
        load_settings({}, {})
    words = "must be a table of lines" if name == "map" else "must be a text in quotation marks"
    assert words in str(caught.value)
    assert value not in str(caught.value).replace(str(empty_folder), "")


@pytest.mark.parametrize("value", ["true", '"many"', "[1]", "2026-11-24", "nan"])
@pytest.mark.parametrize("name", ["concurrency", "timeout"])
def test_a_number_of_the_settings_file_must_be_a_number(empty_folder, name, value):
    (empty_folder / "bulkupdate.toml").write_text(f"{name} = {value}\n")
    with pytest.raises(UsageError, match=f"{name} in "):
        load_settings({}, {})


def test_a_settings_file_with_a_mark_is_read(empty_folder):
    (empty_folder / "bulkupdate.toml").write_text('username = "é"\n', encoding="utf-8-sig")
    assert load_settings({}, {}).username == "é"


@pytest.mark.parametrize("data", ['password = "gehe\u00efm"'.encode("latin-1"), b"a = " + b"[" * 100_000])
def test_a_settings_file_that_is_no_text_shows_nothing_of_itself(empty_folder, data):
    (empty_folder / "bulkupdate.toml").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_settings({}, {})
    assert "bulkupdate.toml is not" in str(caught.value)
    assert "ef" not in str(caught.value).replace(str(empty_folder), "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_mark_of_an_editor_is_no_part_of_the_password(empty_folder, encoding, end):
    (empty_folder / "secret").write_bytes(f"pass wörd{end}".encode(encoding))
    settings = load_settings({}, {"BULKUPDATE_PASSWORD_FILE": str(empty_folder / "secret")})
    assert settings.password.reveal() == "pass wörd"


def test_a_mark_of_utf_16_with_its_high_byte_first_is_no_part_of_it_either(empty_folder):
    (empty_folder / "secret").write_bytes(codecs.BOM_UTF16_BE + "pass wörd".encode("utf-16-be"))
    settings = load_settings({}, {"BULKUPDATE_MAIL_PASSWORD_FILE": str(empty_folder / "secret")})
    assert settings.mail_password.reveal() == "pass wörd"


@pytest.mark.parametrize("data", ["pässwörd".encode("latin-1"), "password".encode("utf-16-le"), b"\xff\xfeabc"])
def test_a_password_file_that_is_no_utf_8_shows_no_byte_of_the_password(empty_folder, data):
    (empty_folder / "secret").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_settings({}, {"BULKUPDATE_PASSWORD_FILE": str(empty_folder / "secret")})
    assert str(caught.value) == f"The password file {empty_folder / 'secret'} is not UTF-8 text."
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "words", "remedy"),
    [
        ("concurency = 2", "unknown setting: concurency", "Did you mean concurrency"),
        ('base-ulr = "x"', "unknown setting: base-ulr", "Did you mean base_url"),
        ("zzz = 2", "unknown setting: zzz", "bulkupdate help settings"),
        ("= 3", "not valid TOML", "quotation marks"),
        ("team = acme", "at line 1, column .*, in the setting team", "quotation marks"),
    ],
)
def test_a_broken_settings_file_is_refused(empty_folder, text, words, remedy):
    (empty_folder / "bulkupdate.toml").write_text(text)
    with pytest.raises(UsageError, match=words) as refused:
        load_settings({}, {})
    assert remedy in refused.value.remedy


def test_a_password_without_quotation_marks_is_not_shown(empty_folder):
    (empty_folder / "bulkupdate.toml").write_text('username = "me"\npassword = hunter2\n')
    with pytest.raises(UsageError, match="in the setting password") as refused:
        load_settings({}, {})
    assert "hunter2" not in f"{refused.value}{refused.value.remedy}"
    assert refused.value.__suppress_context__


def test_a_settings_file_that_was_named_must_exist(empty_folder):
    with pytest.raises(UsageError, match="cannot be read") as refused:
        load_settings({}, {}, empty_folder / "none.toml")
    assert str(user_config_path()) in refused.value.remedy


def test_notifications_can_be_set_up_although_other_settings_are_wrong(empty_folder):
    environment = {"BULKUPDATE_CONCURRENCY": "many", "BULKUPDATE_HEARTBEAT_URL": "https://hc.example.com/x"}
    (empty_folder / "bulkupdate.toml").write_text('timeout = "soon"\nmail_host = "mail.example.com"\n')
    settings = load_notification_settings(environment)
    assert settings.heartbeat_url.reveal() == "https://hc.example.com/x"
    assert settings.mail_host == "mail.example.com"
    assert settings.username == ""


@pytest.mark.parametrize("text", ["mail_host = ", 'mial_host = "x"'])
def test_with_a_broken_settings_file_notifications_come_from_the_environment(empty_folder, text):
    (empty_folder / "bulkupdate.toml").write_text(text)
    assert load_notification_settings({"BULKUPDATE_MAIL_HOST": "mail.example.com"}).mail_host == "mail.example.com"
    assert load_notification_settings({"BULKUPDATE_NOTIFY": "loudly"}).notify == "always"
