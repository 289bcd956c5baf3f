"""The texts of notifications: subject and body of mails, text and figures of webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.customers.row_reasons import describe_row_reasons
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.logs import neutralise
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.text import truncate

_WEBHOOK_KEYS = ("run", "state", "rows", "counts", "exit_code", "next")
"""The keys of a file's `--json` object that a webhook gets."""

_SUBJECT_LENGTH = 150
_LINES_POSTED = 30
"""Chat services refuse or fold long messages; the figures beside the text are complete."""


def write_file_subject(report: FileReport) -> str:
    """Return the subject of the mail about a file: its name and its outcome."""
    return neutralise(truncate(f"bulkupdate: {report.name}: {report.sentence}", _SUBJECT_LENGTH))


def write_file_text(report: FileReport) -> str:
    """Return the text of the mail about a file."""
    run_report = report.run_report
    lines = [f"{report.name}: {report.sentence}", *filter(None, (report.reason, report.sent_before))]
    lines += ["", f"Rows: {run_report.rows:,}"]
    lines += [f"  {status.value}: {count:,}" for status, count in run_report.counts.items() if count]
    if run_report.reasons:
        lines += ["Why rows were not updated:", *(f"  {reason}" for reason in describe_row_reasons(run_report.reasons))]
    lines += [f"Run: {run_report.run}"] if run_report.run else []
    lines += [f"File: {report.path}"]
    lines += [f"Next: {run_report.next_command}"] if run_report.next_command else []
    return _join(lines)


def write_file_post(report: FileReport) -> dict[str, Any]:
    """Return the JSON object that a webhook gets about a file; it quotes no cell of the file."""
    described: Mapping[str, object] = report.run_report.to_json()
    reasons = _explain_without_cells(report)
    return {
        "text": _escape_for_slack(_write_public_lines(report)), "file": report.name, "outcome": report.outcome.value,
        **{name: described[name] for name in _WEBHOOK_KEYS}, "sent_before": report.sent_before, "reasons": reasons,
    }  # fmt: skip


def write_night_subject(report: NightReport) -> str:
    """Return the subject of the mail about a night."""
    what = f"the night failed: {report.error}" if report.error else report.describe()
    return neutralise(truncate(f"bulkupdate nightly: {what}", _SUBJECT_LENGTH))


def write_night_text(report: NightReport) -> str:
    """Return the text of the mail about a night: its error, its files, and the files left behind."""
    times = f"{format_local_time(report.started, report.ended)} to {format_local_time(report.ended, report.ended)}"
    lines = [report.describe(), *_explain_error(report), "", f"Folder: {report.folder}", f"Time: {times}"]
    for file in report.files:
        lines += ["", f"{file.name}: {file.sentence}"]
        lines += [f"  {line}" for line in (file.reason, file.sent_before) if line]
        lines += [f"  {line}" for line in describe_row_reasons(file.run_report.reasons)]
        lines += [f"  Next: {file.run_report.next_command}"] if file.run_report.next_command else []
    if report.left_files:
        lines += ["", "Left behind:", *(f"  {left_file.name}: {left_file.message}" for left_file in report.left_files)]
    return _join(lines)


def write_night_post(report: NightReport) -> dict[str, Any]:
    """Return the JSON object that a webhook gets about a night; its text quotes no cell of a file."""
    lines = [f"bulkupdate nightly: {report.describe()}", *_explain_error(report)]
    lines += _cut([line for file in report.files for line in _write_public_lines(file)])
    lines += _cut([f"left behind: {left_file.name}: {left_file.message}" for left_file in report.left_files])
    return {"text": _escape_for_slack(lines), **report.to_json()}


def _write_public_lines(report: FileReport) -> list[str]:
    counts = ", ".join(f"{count:,} {status.value}" for status, count in report.run_report.counts.items() if count)
    outcome = f"{report.name}: {report.sentence}" + (f" ({counts})" if counts else "")
    details = [*filter(None, [report.sent_before]), *_explain_without_cells(report)]
    return [outcome, *(f"  {detail}" for detail in details)]


def _explain_without_cells(report: FileReport) -> list[str]:
    """Return why a file or its rows were not sent or updated, without invalid rows, whose reasons quote their cells."""
    rows = [reason for reason in report.run_report.reasons if reason.status is not Status.INVALID]
    return [*filter(None, [report.public_reason]), *describe_row_reasons(rows)]


def _explain_error(report: NightReport) -> Iterator[str]:
    if report.error is not None:
        yield f"The night failed: {report.error}"
        yield from filter(None, [report.error.remedy])


def _cut(lines: list[str]) -> list[str]:
    left = len(lines) - _LINES_POSTED
    return [*lines[:_LINES_POSTED], f"… and {left:,} more"] if left > 0 else lines


def _join(lines: list[str]) -> str:
    return "\n".join(map(neutralise, lines)) + "\n"


def _escape_for_slack(lines: list[str]) -> str:
    """Return the lines with the characters special to Slack escaped: a file name cannot mention users."""
    text = "\n".join(map(neutralise, lines))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
