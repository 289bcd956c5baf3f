"""A log line is one event, whatever text it holds."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from bulkupdate.errors import UsageError
from bulkupdate.nightly import logs
from bulkupdate.nightly.logs import LOGGER, logging_to, neutralise

HOSTILE = 'a\nb\r\x1b[31mred\x07\x85\u2028\u202e\x7f\ud800="c d"'


def lines_of(path: Path) -> list[str]:
    return path.read_bytes().decode().split("\n")[:-1]


@pytest.mark.parametrize("kind", ["text", "json"])
def test_an_event_is_one_line_without_control_characters(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "night.log"
    with logging_to(path, kind, "info", quiet=True):
        LOGGER.info("about %s", HOSTILE, extra={"run": "r1", "row": 7, "file": HOSTILE})
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            LOGGER.error("failed", exc_info=True)
    raw = path.read_bytes()
    assert raw.count(b"\n") == 2
    assert not set(raw) & (set(range(32)) - {10} | {127})
    assert "\u2028" not in raw.decode()
    assert "\u202e" not in raw.decode()


def test_json_lines_carry_run_and_row(tmp_path: Path) -> None:
    path = tmp_path / "night.log"
    with logging_to(path, "json", "info", quiet=True):
        LOGGER.warning("row not updated", extra={"run": "r1", "row": 7, "status": "rejected", "http_status": 404})
    (line,) = map(json.loads, lines_of(path))
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING", "message": "row not updated", "run": "r1", "row": 7, "status": "rejected",
        "http_status": 404,
    }  # fmt: skip


def test_text_lines_carry_run_and_row_with_unambiguous_values(tmp_path: Path) -> None:
    path = tmp_path / "night.log"
    with logging_to(path, "text", "info", quiet=True):
        LOGGER.info("taken", extra={"run": "r1", "row": 7, "file": 'a row=8 "x".csv'})
    (line,) = lines_of(path)
    assert line.split(" ", 1)[1] == r'INFO taken run=r1 row=7 file="a row=8 \"x\".csv"'


def test_the_log_file_is_private_and_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 150)
    path = tmp_path / "night.log"
    with logging_to(path, "text", "info", quiet=True):
        for number in range(12):
            LOGGER.info("event %d of some length", number)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) > 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in parts} == {0o600}
    assert sum(len(lines_of(each)) for each in parts) == 12


def test_quiet_shows_warnings_and_errors_but_not_those_about_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "night.log"
    with logging_to(path, "text", "info", quiet=True):
        LOGGER.info("not this")
        LOGGER.warning("row not updated", extra={"row": 7})
        LOGGER.warning("but this")
        LOGGER.error("and this")
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [
        "WARNING but this", "ERROR and this",
    ]  # fmt: skip
    assert len(lines_of(path)) == 4


def test_a_level_hides_less_severe_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(None, "text", "warning", quiet=False):
        LOGGER.info("not this")
    assert capsys.readouterr().err == ""


def test_a_log_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    before = list(LOGGER.handlers)
    with pytest.raises(UsageError, match="log file"), logging_to(tmp_path / "no" / "a.log", "text", "info", quiet=True):
        pass
    assert LOGGER.handlers == before


def test_nothing_is_appended_to_a_file_that_is_not_a_log(tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(UsageError, match="not a log"), logging_to(path, "text", "info", quiet=True):
        LOGGER.info("lost")
    assert path.read_bytes() == b"PK\x03\x04"
    for kind in ("text", "json", "text"):  # our own is continued, whatever its format was
        with logging_to(tmp_path / "night.log", kind, "info", quiet=True):
            LOGGER.info("kept")
    assert len(lines_of(tmp_path / "night.log")) == 3


def test_a_full_disk_costs_a_log_line_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with logging_to(Path("/dev/full"), "text", "info", quiet=True):
        LOGGER.info("lost")
    said = capsys.readouterr().err
    assert said.startswith("The log file cannot be written: ")
    assert "Traceback" not in said
    assert "No space left" in said


@pytest.mark.parametrize(
    ("value", "shown"), [("", 'file=""'), ("Mü ller.csv", 'file="Mü ller.csv"'), ("a.csv", "file=a.csv")]
)
def test_a_value_is_quoted_only_where_it_must_be(tmp_path: Path, value: str, shown: str) -> None:
    path = tmp_path / "night.log"
    with logging_to(path, "text", "info", quiet=True):
        LOGGER.info("taken", extra={"file": value})
    assert lines_of(path)[0].endswith(f"INFO taken {shown}")


def test_a_trace_and_the_object_of_the_night_are_in_the_log(tmp_path: Path) -> None:
    paths = {kind: tmp_path / kind for kind in ("text", "json")}
    for kind, path in paths.items():
        with logging_to(path, kind, "info", quiet=True):
            try:
                raise ValueError("reason")
            except ValueError:
                LOGGER.error("failed", exc_info=True, extra={"night": {"files": 1}})
    line = json.loads(lines_of(paths["json"])[0])
    assert line["night"] == {"files": 1}
    assert line["trace"].endswith("ValueError: reason")
    (text,) = lines_of(paths["text"])
    assert text.endswith("ValueError: reason")
    assert "files" not in text


def test_once_the_night_is_over_its_log_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, before = tmp_path / "night.log", list(LOGGER.handlers)
    with logging_to(path, "text", "info", quiet=True):
        LOGGER.warning("in the night")
        (handler,) = (each for each in LOGGER.handlers if isinstance(each, logging.FileHandler))
    assert caplog.records == [], "logs of the process itself get no lines of the night"
    LOGGER.warning("after it")
    assert LOGGER.handlers == before
    assert handler.stream is None, "it is closed"
    assert [line.split(" ", 1)[1] for line in lines_of(path)] == ["WARNING in the night"]


def test_plain_text_is_unchanged() -> None:
    assert neutralise("Müller & Söhne – 客户.csv") == "Müller & Söhne – 客户.csv"
    assert logging.getLevelName(LOGGER.level) == "NOTSET"
