"""The write policy of each column of one sheet: always, only if empty, or never; at least as strict as the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.customers.write_policy import WritePolicy, parse_write_policy
from bulkupdate.web.page_context import current_context
from bulkupdate.web.sheet_checks import check_again
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.views.upload_views import find_own_upload

pages = Blueprint("policies", __name__)


def list_policies(outcome: CheckOutcome) -> list[tuple[str, WritePolicy, tuple[WritePolicy, ...]]]:
    """Return each field of the sheet with its policy, and those to choose from; a recipe may still be stricter."""
    fixed = parse_write_policy(current_context().settings.write_policy)
    used = parse_write_policy(outcome.used.write_policy)
    return [(name, used.get(name, WritePolicy.OVERWRITE), _list_choices(name, fixed)) for name in outcome.fields]


def _list_choices(name: str, fixed: Mapping[str, WritePolicy]) -> tuple[WritePolicy, ...]:
    policies = tuple(WritePolicy)
    return policies[policies.index(fixed.get(name, WritePolicy.OVERWRITE)) :]


@pages.post("/sheets/<upload_id>/write-policy")
def choose(upload_id: str) -> Response:
    """Check the sheet again, with the chosen policy of each field."""
    stored = find_own_upload(upload_id, "change what is written")
    if (outcome := read_outcome(stored)) is not None:
        given = dict(zip(request.form.getlist("field"), request.form.getlist("policy"), strict=False))
        chosen = {name: given[name] for name in outcome.fields if given.get(name) in tuple(WritePolicy)}
        if all(chosen.get(name) == WritePolicy.NEVER for name in outcome.fields):
            abort(400, "With this policy nothing would be written. Go back, and choose another one for some column.")
        policy = ",".join(f"{name}={word}" for name, word in chosen.items())
        check_again(stored, lambda current: replace(current, write_policy=policy))
    return redirect(url_for("checks.show", upload_id=stored.id), 303)
