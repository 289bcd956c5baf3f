"""`setup`, typed on a terminal, and what later calls make of what it stored."""

from __future__ import annotations

import os
import sys
import tomllib

import pytest

from bulkupdate.cli.commands import setup
from bulkupdate.errors import UsageError
from bulkupdate.settings_sources import load_settings
from bulkupdate.system_keyring import has_keyring
from tests.cli.terminal import Terminal

PASSWORD = "correct horse ü \\ 1"
NO_KEYRING = "keyring.backends.null.Keyring"


@pytest.fixture
def service(make_sandbox):
    return make_sandbox(username="jo", password=PASSWORD)


@pytest.fixture
def newcomer(run_program, tmp_path):
    """The program without any settings."""
    for name in ("BASE_URL", "USERNAME", "PASSWORD"):
        del run_program.environment[f"BULKUPDATE_{name}"]
    run_program.environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHON_KEYRING_BACKEND": NO_KEYRING}
    return run_program


@pytest.fixture
def set_up(newcomer):
    """Type answers to `setup`; return the exit code and all that was shown."""

    def type_answers(*answers, **environment):
        newcomer.environment |= environment
        terminal = Terminal(newcomer, "setup")
        for question, answer in answers:
            terminal.read_until(lambda shown, question=question: question in shown)
            assert question in terminal.shown
            terminal.type(f"{answer}\n")
        code = terminal.finish()
        terminal.process.communicate()
        terminal.close()
        assert PASSWORD not in terminal.shown
        return code, terminal.shown

    return type_answers


def answer_connection(service):
    return ("address: ", service.root_url), ("Login name: ", "jo"), ("Password (not shown): ", PASSWORD)


def test_what_was_typed_serves_every_later_call(newcomer, set_up, service, tmp_path):
    code, shown = set_up(*answer_connection(service))
    assert (code, "service: signed in at" in shown) == (0, True)
    folder = tmp_path / "config" / "bulkupdate"
    stored = tomllib.loads((folder / "bulkupdate.toml").read_text(encoding="utf-8"))
    secret = folder / "bulkupdate-password"
    assert stored == {"base_url": service.base_url, "username": "jo", "password_file": str(secret)}
    assert (secret.read_text(encoding="utf-8"), secret.stat().st_mode & 0o777) == (PASSWORD, 0o600)
    assert newcomer("doctor").exit_code == 0
    secret.write_text("outdated")
    assert newcomer("doctor").exit_code == 4
    code, _ = set_up(("keep everything else? [y/N]", "y"), *answer_connection(service))
    assert (code, secret.read_text(encoding="utf-8")) == (0, PASSWORD)


def test_lines_of_the_user_stay_and_nothing_is_changed_without_asking(set_up, service, tmp_path):
    path = tmp_path / "config" / "bulkupdate" / "bulkupdate.toml"
    path.parent.mkdir(parents=True)
    own = '# mine\nteam = "old"\nconcurrency = 2\n\n[map]\nusername = "CustomerId"\n'
    path.write_text(own)
    code, _ = set_up(("[y/N]", "n"))
    assert (code, path.read_text()) == (3, own)
    code, shown = set_up(("[y/N]", "y"), *answer_connection(service), BULKUPDATE_USERNAME="other")
    assert "BULKUPDATE_USERNAME takes precedence over the settings stored now." in shown
    assert "To correct the connection: bulkupdate setup" in shown
    assert code == 4, "the service refuses the other login"
    kept = [line for line in path.read_text().splitlines() if not line.startswith(("base_url", "password_file"))]
    assert kept == ["# mine", "concurrency = 2", "", 'username = "jo"', "[map]", 'username = "CustomerId"']


def test_the_keyring_holds_the_password(newcomer, set_up, service, tmp_path):
    pytest.importorskip("keyring")
    keyring = tmp_path / "keyring.json"
    code, _ = set_up(
        *answer_connection(service), ("[Y/n]", ""), PYTHON_KEYRING_BACKEND="tests.file_keyring.FileKeyring",
        FILE_KEYRING=str(keyring),
    )  # fmt: skip
    assert code == 0
    stored = (tmp_path / "config" / "bulkupdate" / "bulkupdate.toml").read_text(encoding="utf-8")
    assert "password_keyring = true" in stored
    assert "horse" not in stored
    other = newcomer("doctor", base_url="http://127.0.0.1:1/rest/api")
    assert (other.exit_code, "holds no password for 'jo' at 'http://127.0.0.1:1" in other.err) == (2, True)
    keyring.unlink()
    keyring.mkdir()
    locked = newcomer("doctor")
    assert (locked.exit_code, "(KeyringLocked)" in locked.err, "secret detail" in locked.err) == (2, True, False)
    assert newcomer("runs").exit_code == 0, "what needs no password does not ask for it"


def test_a_missing_library_is_named(newcomer, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert not has_keyring()
    with pytest.raises(UsageError, match="`keyring` is not installed"):
        load_settings({}, {"BULKUPDATE_PASSWORD_KEYRING": "true"}, tmp_path / os.devnull).password.reveal()


def test_a_team_is_looked_up_and_a_server_only_taken_if_the_user_says_so(make_sandbox, monkeypatch):
    root = make_sandbox(team="Acme Ltd").root_url
    monkeypatch.setattr("bulkupdate.sellercloud.base_url.LOOKUP_URL", f"{root}/api/server-by-team/")
    assert setup._find_address("Acme Ltd") == f"{root}/rest/api"
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    assert setup._find_address("ab") == "https://ab.api.sellercloud.com/rest/api"
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    for answer in ("ab", "not a server"):
        with pytest.raises(UsageError, match="No server was found for the team"):
            setup._find_address(answer)


def test_without_a_terminal_the_sample_is_offered(newcomer):
    answer = newcomer("setup", json=False)
    assert (answer.exit_code, "bulkupdate setup --print" in answer.err) == (2, True)
    sample = newcomer("setup", "--print", json=False)
    assert (sample.exit_code, "#base_url" in sample.out) == (0, True)
