"""The plan of a checked sheet: what sending costs with each option, and what its user has to agree to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice

from bulkupdate.runs.estimate import Estimate, estimate_requests, estimate_run
from bulkupdate.runs.guards import Excess, find_excess
from bulkupdate.runs.live.fetch import count_requests
from bulkupdate.runs.previous_runs import PreviousRun, find_previous_run
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.settings import Settings
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.uploads.check_outcome import CheckOutcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.start_order import CANARY_ROWS, CHEAP_QUOTA_MINUTES, LARGE_CUSTOMERS
from bulkupdate.web.uploads.upload_store import Upload

_MINUTES_AN_HOUR = 60
_USUAL_QUOTA = 10_800


@dataclass(frozen=True)
class SheetPlan:
    """What sending a sheet takes, whatever is chosen.

    `excess` is how it exceeds the limits of the settings, None if it does not. `is_snapshot_cheap`: previous values
    are kept unless the user says no. `lists_modified`: the service is asked who was modified since. `mail_to` is where
    a mail about the end would go, empty if mail is not set up.
    """

    estimate: Estimate
    previous: PreviousRun | None
    excess: Excess | None
    canary_rows: int
    canary_reads: int
    is_snapshot_cheap: bool
    lists_modified: bool
    needs_confirmation: bool
    mail_to: str


def make_plan(stored: Upload, outcome: CheckOutcome) -> SheetPlan:
    """Return the plan of a sheet for the current user. Makes no request."""
    check, settings = StoredCheck(stored.path, stored.name, outcome), current_context().settings
    options = RunOptions().guard(outcome.used.guarded)
    mailer = current_context().mailer
    first = islice((row.fields for row in check.rows() if row.body is not None), CANARY_ROWS)
    per_hour = settings.requests_per_hour or _USUAL_QUOTA
    previous = find_previous_run(current_context().journal, outcome.sha256, stored.host)
    with current_context().open_run_context(current_user()) as run_context:
        return SheetPlan(
            estimate=estimate_run(run_context, outcome.to_send, check.rows(), options),
            previous=previous,
            excess=_find_excess(check),
            canary_rows=CANARY_ROWS if outcome.to_send > CANARY_ROWS else 0,
            canary_reads=count_requests(first),
            is_snapshot_cheap=outcome.fetch_requests < per_hour * CHEAP_QUOTA_MINUTES / _MINUTES_AN_HOUR,
            lists_modified=run_context.settings.trust_modified_filter,
            needs_confirmation=needs_confirmation(outcome, previous),
            mail_to=mailer.address_of(current_user().identity) if mailer.is_possible else "",
        )


def estimate_reads(count: int) -> Estimate:
    """Estimate this many requests with the login of the current user. Makes no request."""
    with current_context().open_run_context(current_user()) as run_context:
        return estimate_requests(run_context, reads=count)


def needs_confirmation(outcome: CheckOutcome, previous: PreviousRun | None) -> bool:
    """Return whether the user has to confirm the number of customers: it is large, or the file was sent before."""
    return outcome.to_send >= LARGE_CUSTOMERS or previous is not None


def digest_plan(settings: Settings, stored: Upload, outcome: CheckOutcome) -> str:
    """Return a hash of what an approval covers: the file's content, how it was read, and what may be written."""
    covered = repr((outcome, stored.options, settings.write_policy)).replace(str(stored.folder), "")  # as on any host
    return hashlib.sha256(covered.encode("utf-8", "surrogatepass")).hexdigest()


def _find_excess(check: StoredCheck) -> Excess | None:
    settings = current_context().settings
    if not (settings.max_changes or settings.max_clears):
        return None
    return find_excess(check.count_changes(), settings.max_changes, settings.max_clears)
