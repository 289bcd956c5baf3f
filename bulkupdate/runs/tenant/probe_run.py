"""The run of a probe: a row for each update of its customer, all previous values kept before the first one.

So `undo` restores the customer after a kill at any moment. What the rows hold is what each update may set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.customers.payload import LiveCustomer, encode_body, encode_live
from bulkupdate.errors import BusyError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.kept_files import place_results
from bulkupdate.runs.new_run import make_new_run, new_run_id
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunOptions, RunState
from bulkupdate.runs.tenant.probe_steps import ProbeStep
from bulkupdate.runs.tenant.probe_traces import ALIASES_FIELD, list_others_changes, list_own_changes
from bulkupdate.runs.undo_sheet import Restoration

FILE_NAME = "doctor --probe"
FIRST_ROW = 2
RESTORE = "`bulkupdate doctor --restore` puts the customer back."


def create_probe_run(context: RunContext, customer_id: str, customer: LiveCustomer, steps: Sequence[ProbeStep]) -> Run:
    """Write the steps and all previous values into the journal. Raises `JournalError`."""
    run_id = new_run_id(context.clock.now())
    new = make_new_run(
        context,
        run_id,
        file=FILE_NAME,
        sha256="",
        headings=("CustomerId", "Step"),
        options=RunOptions(probe=True, snapshot=True, verify=True),
        results_path=place_results(None, run_id, context.settings.state_dir),
    )
    rows = [
        CheckedRow(
            number, customer_id, Status.NOT_ATTEMPTED, encode_body(step.values, "code"), tuple(step.values),
            (customer_id, step.name),
        )
        for number, step in enumerate(steps, FIRST_ROW)
    ]  # fmt: skip
    run = context.journal.add_run(new, rows)
    before = encode_live(customer)
    context.journal.keep_snapshots(run, ((row.number, before) for row in rows))
    return run


def require_idle(journal: Journal, host: str, probe: Run | None = None) -> None:
    """Raise `BusyError` while a run of this service other than the probe is being sent."""
    _require_none(journal, host, lambda run: probe is None or run.id != probe.id)


def require_no_probe(journal: Journal, host: str) -> None:
    """Raise `BusyError` while this service is probed: a run would change what the probe reads."""
    _require_none(journal, host, lambda run: run.options.probe)


def _require_none(journal: Journal, host: str, is_meant: Callable[[Run], bool]) -> None:
    for run in journal.unfinished_runs():
        if run.host == host and is_meant(run) and effective_state(journal, run) is RunState.RUNNING:
            what = "The probe" if run.options.probe else "Run"
            raise BusyError(
                f"{what} {run.id} is at work at this service.", remedy="Wait for its end, or stop it first."
            )


def find_open_probe(journal: Journal, host: str) -> Run | None:
    """Return the newest probe of this service that has not ended; None if there is none."""
    return next((run for run in journal.unfinished_runs() if run.options.probe and run.host == host), None)


def end_probe(run: Run, restorations: Sequence[Restoration], context: RunContext, overwriting: str) -> list[str]:
    """Read the customer that was restored, and end the probe unless something of it is left that can be put back.

    Return sentences about what is not as before; `overwriting` is the command that overwrites what others have set.
    """
    left: list[str] = []
    is_own_left = False
    for restoration in restorations:
        customer, before = f"customer {restoration.customer_id}", restoration.before
        now = context.client.read_customer(restoration.customer_id)
        if now is None:
            left.append(f"{customer} does not exist any more. Should it come back: `bulkupdate undo {run.id} --run`")
            continue
        own = list_own_changes(before, now, restoration.written or {})
        if context.profile.find("aliases") == "append":
            own.pop(ALIASES_FIELD, None)
        others = list_others_changes(before, now, own)
        if own:
            left.append(f"{customer} is not as before in {', '.join(own)}. {RESTORE}")
            is_own_left = True
        if others:
            sent = ", ".join(name for name in others if name in restoration.sent)
            advice = f" To overwrite {sent}: `{overwriting}`" if sent else ""
            left.append(f"{customer} is not as before in {', '.join(others)}: left as it is.{advice}")
    if not is_own_left:
        context.journal.set_state(run, RunState.FINISHED)
    return left
