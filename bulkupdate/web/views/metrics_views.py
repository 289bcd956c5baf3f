"""The figures of nights and runs for Prometheus: on this machine, or with the token of the settings; no session."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from flask import Blueprint, request

from bulkupdate.clock import parse_utc
from bulkupdate.customers.models import Status
from bulkupdate.network import is_loopback
from bulkupdate.prometheus_text import CONTENT_TYPE, Metric, format_metrics
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RunState
from bulkupdate.web.page_context import current_context
from bulkupdate.web.security import host_of

pages = Blueprint("metrics", __name__)

PREFIX = "bulkupdate_run_"


@pages.get("/metrics")
def show() -> tuple[str, int, dict[str, str]]:
    """Return the figures of the last night of each folder, and those of the last run."""
    if not (_has_token() or _is_local()):
        headers = {"WWW-Authenticate": "Bearer", "Content-Type": "text/plain; charset=utf-8"}
        return "Metrics are shown to this machine, and to others with metrics_token as bearer token.\n", 401, headers
    journal = current_context().journal
    return format_metrics([*journal.find_metrics(), *_list_metrics(journal)]), 200, {"Content-Type": CONTENT_TYPE}


def _has_token() -> bool:
    token, given = current_context().settings.metrics_token.reveal(), request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_local() -> bool:
    """Return whether the request is from this machine, and neither from a proxy nor from a page with another name."""
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return is_loopback(request.remote_addr or "") and is_loopback(host_of(request.host)) and not is_forwarded


def _list_metrics(journal: Journal) -> Iterator[Metric]:
    states = journal.count_states()
    if not states:
        return
    yield Metric(
        "bulkupdate_runs", "Runs of the journal by state.", [({"state": str(s)}, states.get(s, 0)) for s in RunState]
    )
    run = journal.find_run()
    yield Metric(f"{PREFIX}start_timestamp_seconds", "When the last run began.", [({}, parse_utc(run.started))])
    if run.finished:
        yield Metric(f"{PREFIX}end_timestamp_seconds", "When the last run ended.", [({}, parse_utc(run.finished))])
    counts = journal.tally(run).counts
    rows = [({"status": str(status)}, counts.get(status, 0)) for status in Status]
    yield Metric(f"{PREFIX}rows", "Rows of the last run by status.", rows)
    yield Metric(f"{PREFIX}requests", "Requests of the last run to the service.", [({}, run.calls)])
