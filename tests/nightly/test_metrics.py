"""Metrics in Prometheus text format, read by Prometheus's own parser."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode, JournalError, UsageError
from bulkupdate.nightly.metrics import PREFIX, keep_metrics, write_metrics
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.runs.journal import Journal
from tests.nightly.night_folders import BAD, FIRST, NightEnvironment, sheet
from tests.nightly.sample_notifications import NIGHT, night_report, report
from tests.postgres import only_files, place_of


def read(path: Path) -> dict[str, float]:
    """Every sample: name and its labels but for the folder."""
    return {
        " ".join(
            [sample.name.removeprefix(PREFIX), *(v for k, v in sample.labels.items() if k != "folder")]
        ): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


def test_the_figures_of_a_night(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    write_metrics(night_report(report(), exit_code=1), path)
    samples = read(path)
    assert samples["exit_code"] == 1
    assert (samples["start_timestamp_seconds"], samples["end_timestamp_seconds"]) == (NIGHT, NIGHT + 90)
    assert (samples["rows updated"], samples["rows rejected"], samples["rows not attempted"]) == (2, 1, 0)
    assert (samples["files incomplete"], samples["files done"]) == (1, 0)
    assert samples["files_left_behind"] == samples["files_overdue"] == samples["failed_notifications"] == 0
    assert samples["last_success_timestamp_seconds"] == NIGHT + 90


def test_every_metric_has_a_type_and_a_help_text(tmp_path: Path) -> None:
    write_metrics(night_report(), tmp_path / "night.prom")
    families = list(text_string_to_metric_families((tmp_path / "night.prom").read_text()))
    assert len(families) == 10
    assert all(each.type == "gauge" and each.documentation and each.name.startswith(PREFIX) for each in families)


def test_the_time_of_the_last_success_is_kept_by_nights_that_fail(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    write_metrics(night_report(exit_code=4), path)
    assert "last_success_timestamp_seconds" not in read(path)
    write_metrics(night_report(), path)
    failed = night_report(exit_code=4)
    write_metrics(NightReport(**{**vars(failed), "ended": NIGHT + 86_400}), path)
    samples = read(path)
    assert samples["end_timestamp_seconds"] == NIGHT + 86_400
    assert samples["last_success_timestamp_seconds"] == NIGHT + 90
    other = NightReport(**{**vars(failed), "folder": Path("/srv/other")})
    write_metrics(other, path)
    assert "last_success_timestamp_seconds" not in read(path)


@pytest.mark.parametrize("folder", ['/srv/a "b" \\c', "/srv/{folder}", "/srv/zwei\nZeilen"])
def test_any_folder_name_is_escaped(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "night.prom"
    for code in (0, 4):
        write_metrics(NightReport(**{**vars(night_report(exit_code=code)), "folder": Path(folder)}), path)
    (family, *_) = text_string_to_metric_families(path.read_text())
    assert family.samples[0].labels == {"folder": folder}
    assert "last_success_timestamp_seconds" in read(path)


def test_the_file_is_replaced_in_one_step_and_readable_by_the_collector(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    path.write_text(f"# HELP {PREFIX}old")
    before = path.stat().st_ino
    write_metrics(night_report(), path)
    assert path.stat().st_ino != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_file_of_the_users_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("CustomerId,Name\n")
    with pytest.raises(UsageError, match="is not a file of nightly metrics"):
        write_metrics(night_report(), path)
    assert path.read_text() == "CustomerId,Name\n"


def test_a_folder_is_no_file_of_metrics(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file of nightly metrics"):
        write_metrics(night_report(), tmp_path)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_metrics(night_report(), tmp_path / "missing" / "night.prom")


def test_metrics_are_written_where_there_is_no_fchmod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.fchmod")  # Windows before Python 3.13
    write_metrics(night_report(), tmp_path / "night.prom")
    assert read(tmp_path / "night.prom")["exit_code"] == 0


def test_an_empty_file_may_become_the_file_of_metrics(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    path.touch()
    write_metrics(night_report(), path)
    assert read(path)["exit_code"] == 0


def test_the_journal_keeps_the_time_of_the_last_success_too(tmp_path: Path) -> None:
    failed = NightReport(**{**vars(night_report(exit_code=4)), "ended": NIGHT + 86_400})
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        for night in (night_report(), failed):
            keep_metrics(night, journal)
        found = {metric.name.removeprefix(PREFIX): metric.samples for metric in journal.find_metrics()}
    assert [figure for _, figure in found["last_success_timestamp_seconds"]] == [NIGHT + 90]
    assert [figure for _, figure in found["end_timestamp_seconds"]] == [NIGHT + 86_400]


# -- in a night -----------------------------------------------------------------------------------------------------


def test_a_night_writes_its_metrics(env: NightEnvironment) -> None:
    env.metrics_file = env.root / "night.prom"
    env.put("bad.csv", BAD, age=60)
    env.put("good.csv", sheet([FIRST, FIRST + 1]))
    assert env.night() is ExitCode.FILE_REFUSED
    samples = read(env.metrics_file)
    assert (samples["exit_code"], samples["rows updated"], samples["files refused"]) == (3, 2, 1)
    assert samples["requests"] == 3


def test_metrics_that_cannot_be_written_change_nothing(env: NightEnvironment, caplog: pytest.LogCaptureFixture) -> None:
    env.metrics_file = env.root / "missing" / "night.prom"
    env.put("good.csv", sheet([FIRST]))
    assert env.night() is ExitCode.DONE
    assert "the metrics were not written" in caplog.text
    with Journal(env.settings.store, Clock()) as journal:
        assert journal.find_metrics(), "those of the journal do not depend on the file"


@only_files
def test_metrics_that_cannot_be_kept_anywhere_are_warned_about_once(
    env: NightEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    env.metrics_file = env.root / "missing" / "night.prom"
    env.state.mkdir()
    (env.state / "journal.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(JournalError):
        env.night()
    (warning,) = [each for each in caplog.messages if "the metrics were not written" in each]
    assert "night.prom" in warning
    assert "damaged" in warning
