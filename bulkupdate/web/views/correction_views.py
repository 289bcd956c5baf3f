"""Corrections in place: cells of an upload are edited one by one or all alike, and the sheet is checked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.customers.cell_repairs import Repair, RepairOffer, list_repairs, offer_repair
from bulkupdate.customers.models import Correction
from bulkupdate.runs.loading.corrections import Corrections, read_corrections, write_corrections
from bulkupdate.text import pluralize
from bulkupdate.web.page_context import current_user
from bulkupdate.web.permissions import owns_upload
from bulkupdate.web.run_access import record_event
from bulkupdate.web.sheet_checks import check_again, has_begun
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.problem_list import list_cells, read_rows
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.correction_list import show_corrections
from bulkupdate.web.views.upload_views import find_own_upload, find_upload

pages = Blueprint("corrections", __name__)

LONGEST_TEXT = 32_767
"""What a cell of Excel can hold."""


@pages.get("/sheets/<upload_id>/corrections")
def show(upload_id: str) -> str | Response:
    """Return the list of the corrected cells."""
    stored = find_upload(upload_id)
    outcome = read_outcome(stored)
    if outcome is None or not outcome.has_rows or not outcome.corrections or has_begun(stored):
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    cells = StoredCheck(stored.path, stored.name, outcome).corrections
    return show_corrections(cells, upload=stored, name=stored.name, is_own=owns_upload(current_user(), stored))


@pages.get("/sheets/<upload_id>/rows/<int:number>")
def show_row(upload_id: str, number: int) -> str | Response:
    """Return the form to correct any cell of a row."""
    stored = _find_own(upload_id)
    outcome = read_outcome(stored)
    if outcome is None or not outcome.has_rows:
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    check = StoredCheck(stored.path, stored.name, outcome)
    cells = read_rows(check, [number]).get(number)
    problems = check.find_problems(number)
    if cells is None and not problems:
        abort(404)
    columns = [(place, outcome.headings[place], *cells[place]) for place in outcome.correctable] if cells else []
    return render_template("row.html", upload=stored, number=number, columns=columns, problems=problems)


@pages.post("/sheets/<upload_id>/corrections")
def correct(upload_id: str) -> Response:
    """Take the corrections of a form, and check the sheet again."""
    return _change(upload_id, "corrected", lambda stored, known: known.add(_read_form(_require_current(stored))))


@pages.post("/sheets/<upload_id>/corrections/undo")
def undo(upload_id: str) -> Response:
    """Undo the correction of one cell, or of all."""
    row, column = request.form.get("row", ""), request.form.get("column", "")
    is_all = "all" in request.form
    if not is_all and not (row.isascii() and row.isdigit()):
        abort(400)
    return _change(
        upload_id,
        "undid corrections of",
        lambda _stored, known: replace(known, cells=()) if is_all else known.remove(int(row), column),
    )


def _change(upload_id: str, event: str, make: Callable[[Upload, Corrections], Corrections]) -> Response:
    """Store other corrections, if they differ, and check the sheet again."""
    stored = _find_own(upload_id)
    changed_cells = 0

    def change(upload: Upload) -> Upload | None:
        nonlocal changed_cells
        known = _read_known(upload)
        made = make(upload, known)
        changed_cells = len({*made.cells} ^ {*known.cells})
        if not changed_cells:
            return None
        write_corrections(upload.corrections_path, made)
        return upload

    check_again(stored, change)
    if changed_cells:
        record_event(f"{event} {pluralize(changed_cells, 'cell')}", stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id, _anchor="corrections"), 303)


def _read_known(upload: Upload) -> Corrections:
    outcome = read_outcome(upload)
    if not upload.corrections_path.exists() and outcome is not None:
        return Corrections(outcome.sha256, outcome.sheet_name or None)
    return read_corrections(upload.corrections_path)


def _find_own(upload_id: str) -> Upload:
    stored = find_own_upload(upload_id, "correct it")
    if has_begun(stored):
        abort(409, "This sheet has been sent, so it can no longer be corrected.")
    return stored


def _require_current(upload: Upload) -> StoredCheck:
    """Return the check that the form was about; answer 409 if the sheet is being checked, or was since."""
    outcome = read_outcome(upload)
    if outcome is None or not outcome.has_rows or request.form.get("revision") != str(upload.revision):
        abort(
            409,
            "Nothing was corrected: the sheet was changed since this page was shown, perhaps in another tab. "
            "Open it again and look at it first.",
        )
    return StoredCheck(upload.path, upload.name, outcome)


def _read_form(check: StoredCheck) -> list[Correction]:
    column, code = request.form.get("column", ""), request.form.get("code", "")
    if repair := request.form.get("repair"):
        chosen = next((each for each in _list_repairs(check, column, code) if each.name == repair), None) or abort(400)
        return list(_replace_all(check, column, code, chosen.apply))
    if equal := request.form.getlist("equal"):
        texts = dict(zip(equal, map(_require_short, request.form.getlist("replacement")), strict=False))
        return list(_replace_all(check, column, code, texts.get))
    return list(_read_cells(check))


def _replace_all(
    check: StoredCheck, column: str, code: str, replace_text: Callable[[str], str | None]
) -> Iterator[Correction]:
    """Yield the corrections of all cells of a column with this kind of problem; None leaves a text as it is."""
    for row, text in list_cells(check, column, code):
        after = replace_text(text)
        if after is not None and after != text:
            yield Correction(row, column, text, after)


def _read_cells(check: StoredCheck) -> Iterator[Correction]:
    """Yield the cells whose text was edited, named `row:column` with the column's index."""
    named = [cell.partition(":") for cell in request.form.getlist("cell")]
    if not all(part.isascii() and part.isdigit() for row, _, place in named for part in (row, place)):
        abort(400)
    rows = read_rows(check, {int(row) for row, _, _ in named})
    for (row, _, place), after in zip(named, request.form.getlist("after"), strict=False):
        if int(row) not in rows or int(place) not in check.outcome.correctable:
            abort(400)
        text, typable = rows[int(row)][int(place)]
        if after != (typable or ""):  # what the form does not hold is replaced or left as it is
            yield Correction(int(row), check.outcome.headings[int(place)], text, _require_short(after))


def _require_short(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        abort(400, f"A cell can hold {LONGEST_TEXT:,} characters.")
    return text


def _list_repairs(check: StoredCheck, column: str, code: str) -> tuple[Repair, ...]:
    return list_repairs(code, may_be_blank=column not in check.outcome.identifying)


def offer_repairs(check: StoredCheck, column: str, code: str) -> list[RepairOffer]:
    """Return how all cells of a column with this kind of problem can be repaired at once."""
    texts = [text for _, text in list_cells(check, column, code)]
    offers = (offer_repair(each, texts) for each in _list_repairs(check, column, code))
    return [offer for offer in offers if offer.cells]
