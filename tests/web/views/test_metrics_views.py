"""`/metrics`: the figures of nights and runs, read by Prometheus's own parser; for this machine, or with the token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.prometheus_text import Metric
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.app import create_app
from tests.nightly.night_folders import BAD, FIRST, NightEnvironment, sheet


@pytest.fixture
def env(tmp_path: Path, make_sandbox: Callable[[], Sandbox]) -> NightEnvironment:
    return NightEnvironment(tmp_path, make_sandbox())


def test_the_figures_are_those_of_the_nights_file_and_of_the_last_run(env: NightEnvironment) -> None:
    env.metrics_file = env.root / "night.prom"
    env.put("good.csv", sheet([FIRST, FIRST + 1]))
    assert env.night() is ExitCode.DONE
    env.put("bad.csv", BAD)
    assert env.night() is ExitCode.FILE_REFUSED
    with Journal(env.settings.store, Clock()) as journal:
        journal.keep_metrics("/srv/other", [Metric("bulkupdate_nightly_exit_code", "…", [({"folder": "/srv/o"}, 4)])])
    answer = create_app(env.settings).test_client().get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    for family in text_string_to_metric_families(env.metrics_file.read_text()):
        samples = [each for each in families[family.name].samples if each.labels["folder"] != "/srv/o"]
        assert samples == family.samples
    assert len(families["bulkupdate_nightly_exit_code"].samples) == 2
    rows = {each.labels["status"]: each.value for each in families["bulkupdate_run_rows"].samples}
    assert (rows["updated"], rows["invalid"]) == (2, 0)
    assert families["bulkupdate_run_requests"].samples[0].value == 3
    assert {each.labels["state"]: each.value for each in families["bulkupdate_runs"].samples}["finished"] == 1


@pytest.mark.parametrize(
    ("token", "given", "address", "host", "status"),
    [
        ("", "", "127.0.0.1", "localhost", 200),
        ("", "", "127.0.0.1", "page.example.com", 401),  # a proxy of this machine, or a name that leads here
        ("", "", "10.0.0.7", "localhost", 401),
        ("", "Bearer ", "10.0.0.7", "localhost", 401),
        ("of-the-monitor", "Bearer of-the-monitor", "10.0.0.7", "page.example.com", 200),
        ("of-the-monitor", "Bearer of-another", "10.0.0.7", "localhost", 401),
        ("of-the-monitor", "", "127.0.0.1", "localhost:8000", 200),
    ],
)
def test_only_this_machine_and_who_has_the_token_may_read(
    env: NightEnvironment, token: str, given: str, address: str, host: str, status: int
) -> None:
    client = create_app(replace(env.settings, metrics_token=Secret(token))).test_client()
    headers = {"Host": host, "Authorization": given}
    answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert (answer.status_code, "of-the-monitor" in answer.text) == (status, False)


def test_a_proxy_of_this_machine_is_not_this_machine(env: NightEnvironment) -> None:
    client = create_app(env.settings).test_client()
    for header in ({"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        assert client.get("/metrics", headers=header).status_code == 401
