"""The sample settings file, and changes of a settings file."""

import codecs
import tomllib

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.settings import SETTINGS
from bulkupdate.settings_file import change_settings, format_sample
from bulkupdate.settings_sources import load_settings


def test_the_sample_has_every_setting_and_each_line_is_accepted(tmp_path):
    sample = format_sample()
    assert tomllib.loads(sample) == {}
    lines = [line.removeprefix("#") for line in sample.splitlines() if line.startswith("#") and line[1:2] != " "]
    assert [line.partition(" =")[0] for line in lines] == [*(each.name for each in SETTINGS), "[map]", "Kundennr"]
    path = tmp_path / "bulkupdate.toml"
    for line in lines[:-2]:
        path.write_text(line, encoding="utf-8")
        load_settings({}, {}, path)
    path.write_text("\n".join(lines), encoding="utf-8")
    assert load_settings({}, {}, path).heading_map == {"Kundennr": "CustomerId"}


def test_a_sample_redirected_by_powershell_is_read(tmp_path):
    path = tmp_path / "bulkupdate.toml"
    path.write_bytes(codecs.BOM_UTF16_LE + 'username = "jö"\r\n'.encode("utf-16-le"))
    assert load_settings({}, {}, path).username == "jö"


@pytest.mark.parametrize("text", ['password = """\nx"""\n', "team = \n", "[" * 5000])
def test_a_file_that_cannot_be_changed_line_by_line_is_refused(tmp_path, text):
    path = tmp_path / "bulkupdate.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"bulkupdate\.toml"):
        change_settings(path, {"password": None, "team": "x"})
    assert path.read_text() == text


def test_any_text_comes_back(tmp_path):
    name = 'C:\\Users\\Jö "q" \x7f\t'
    path = tmp_path / "bulkupdate.toml"
    path.write_text(change_settings(path, {"mail_from": name}), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {"mail_from": name}
