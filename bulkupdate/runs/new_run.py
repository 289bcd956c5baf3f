"""Write new runs into the journal: of a checked file, or of the rows of another run. Nothing is sent here."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bulkupdate.runs.context import RunContext
from bulkupdate.runs.run_records import RETRIED, NewRun, Run, RunOptions
from bulkupdate.runs.sending.selection import Selection

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def new_run_id(now: float) -> str:
    """Return an id that sorts by time and cannot be guessed: `20260114-093849-k3v9x2mq`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-" + "".join(secrets.choice(_LETTERS) for _ in range(8))


def make_new_run(
    context: RunContext,
    run_id: str,
    *,
    file: str,
    sha256: str,
    headings: tuple[str, ...],
    options: RunOptions,
    results_path: Path,
    parent: Run | None = None,
) -> NewRun:
    """Return the record of a run: the arguments, and the host, the login and the settings it is sent with."""
    return NewRun(
        id=run_id,
        file=file,
        sha256=sha256,
        host=context.host,
        username=context.settings.username,
        headings=headings,
        options=options,
        settings=context.settings.describe(),
        results_path=str(results_path.resolve()),
        parent=parent.id if parent else None,
    )


def create_run(context: RunContext, run_id: str, selection: Selection, options: RunOptions, results_path: Path) -> Run:
    """Write selected rows into the journal as a new run, with the results of reading the live customers.

    If the process is killed in between, the previous values are read again; nothing else is lost. Raises
    `JournalError`.
    """
    source, used, key = selection.source, selection.source.used, selection.source.live_key
    options = replace(
        options.guard(used.guarded), sheet=source.sheet_name or "", key=used.key, lookup=used.lookup,
        reading=used.reading, recipe=used.recipe, recipe_text=used.recipe_text,
        key_field=key.field if key else "", key_heading=key.heading if key else "",
    )  # fmt: skip
    new = make_new_run(
        context,
        run_id,
        file=source.shown_as or str(source.path.resolve()),
        sha256=source.sha256,
        headings=source.original_headings,
        options=options,
        results_path=results_path,
    )
    problems = (*source.problems, *selection.findings().conflicts)
    run = context.journal.add_run(new, selection.rows(), problems, source.corrections)
    if selection.previous_values:
        context.journal.keep_snapshots(run, selection.previous_values.items())
    if selection.unmodified or any(decision.was_read for decision in selection.decisions.values()):
        context.journal.record_observed(run, selection.seen(), selection.read_at)
    context.journal.record(run, outcomes=selection.refused())
    return run


def create_retry(context: RunContext, parent: Run, run_id: str, results_path: Path) -> Run:
    """Write a new run, linked to `parent`, of exactly its rows that are failed, rejected or unknown.

    Raises `JournalError`.
    """
    new = make_new_run(
        context,
        run_id,
        file=parent.file,
        sha256=parent.sha256,
        headings=parent.headings,
        options=parent.options.for_retry(),
        results_path=results_path,
        parent=parent,
    )
    return context.journal.add_run(
        new, context.journal.checked_rows(parent, RETRIED), corrections=context.journal.corrections(parent, RETRIED)
    )
