"""The columns of a sheet: its user says what each means, sees what becomes of the first rows, and has it remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.customers.column_guess import guess_decimal_mark
from bulkupdate.customers.fields import FIELDS
from bulkupdate.customers.headings import IGNORE, find_field
from bulkupdate.customers.recipe import Recipe, format_recipe, make_recipe_name, parse_recipe
from bulkupdate.errors import BulkUpdateError, InputFileError
from bulkupdate.runs.loading.recipe_folder import ENDING, find_recipe, remember_recipe
from bulkupdate.runs.loading.recipe_preview import TRANSLATED_CODES, list_doubtful, preview_rows, require_usable
from bulkupdate.runs.loading.sheet_layout import SheetLayout
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.permissions import is_admin
from bulkupdate.web.sheet_checks import check_again, has_begun
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.encoding_samples import sample_encodings
from bulkupdate.web.uploads.found_customers import delete_found
from bulkupdate.web.uploads.layout_store import read_layouts
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.upload_views import find_own_upload

pages = Blueprint("mapping", __name__)

SHOWN_VALUES = 3
_NO_CHANGE = "(no change)"


@dataclass(frozen=True)
class MappedColumn:
    """A column of the form: its number, heading and first values, and the field chosen; `is_guess`: nobody chose it."""

    index: int
    heading: str
    samples: tuple[str, ...]
    field: str
    is_guess: bool


@dataclass(frozen=True)
class _Form:
    """The page of one table of an upload; `outcome` is that of its check, None if it is not over."""

    upload: Upload
    layouts: Sequence[SheetLayout]
    outcome: CheckOutcome | None = None

    @property
    def layout(self) -> SheetLayout:
        """The table that is named in the address or the form; the first if none is."""
        wanted = request.values.get("sheet")
        return next((layout for layout in self.layouts if layout.sheet_name == wanted), self.layouts[0])

    def _list_refused(self) -> list[tuple[str, str]]:
        """Return heading and text of cells that the last check did not understand."""
        outcome = read_outcome(self.upload)
        if outcome is None or outcome.is_refused or not outcome.problems:
            return []
        check = StoredCheck(self.upload.path, self.upload.name, outcome)
        return check.list_refused_values(TRANSLATED_CODES, SHOWN_VALUES * 20)

    def render(self, recipe: Recipe, guessed: frozenset[int] = frozenset(), error: str = "") -> str:
        """Return the page with the choices of a recipe; the fields of the columns `guessed` are guesses."""
        preview = list(preview_rows(recipe, self.layout))
        return render_template(
            "mapping.html",
            upload=self.upload,
            outcome=self.outcome,
            samples=sample_encodings(self.upload, self.outcome) if self.outcome else [],
            sheets=[each.sheet_name for each in self.layouts],
            layout=self.layout,
            recipe=recipe,
            columns=list(_list_columns(self.layout, recipe, guessed)),
            fields=FIELDS,
            preview=preview,
            problems=sum(bool(cell.problem) for _, cells in preview for cell in cells),
            doubtful=list_doubtful(recipe, self.layout, self._list_refused()),
            choices={field.name: field.type.choices for field in FIELDS if field.type.choices},
            no_change=_NO_CHANGE,
            error=error,
            may_share=is_admin(current_context().settings, current_user()),
        )


@pages.get("/sheets/<upload_id>/columns")
def show(upload_id: str) -> str | Response:
    """Return the form with what is known or guessed of each column."""
    stored = _find_own(upload_id)
    if not read_layouts(stored.folder):
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    return show_mapping(stored, read_outcome(stored))


@pages.post("/sheets/<upload_id>/columns")
def choose(upload_id: str) -> str | Response | tuple[str, int]:
    """Show what the choices make of the first rows, or take and remember them and check the sheet again."""
    stored = _find_own(upload_id)
    layouts = read_layouts(stored.folder)
    if not layouts:
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    form = _Form(stored, layouts, read_outcome(stored))
    try:
        recipe = _read_form(form)
        if request.form.get("action") != "use":
            return form.render(recipe)
        require_usable(recipe, form.layout)
    except BulkUpdateError as error:
        message = say_on_page(f"{error} {error.remedy or ''}", current_context().settings.state_dir)
        return form.render(_read_form(form, is_strict=False), error=message), 400
    _use(stored, recipe)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def show_mapping(stored: Upload, outcome: CheckOutcome | None) -> str:
    """Return the form as it is first shown: by the recipe of the upload, else with the guesses."""
    form = _Form(stored, read_layouts(stored.folder), outcome)
    kept = find_recipe(stored.folder, stored.recipe_path) if stored.recipe_path else None
    if kept is not None and kept.fits(form.layout.headings):
        error = say_on_page(f"{outcome.message} {outcome.remedy}") if outcome and outcome.is_refused else ""
        return form.render(kept, error=error)
    recipe, guessed = _guess(stored, form.layout)
    return form.render(recipe, guessed)


def _find_own(upload_id: str) -> Upload:
    stored = find_own_upload(upload_id, "say what its columns mean")
    if has_begun(stored):
        abort(409, "This sheet has been sent already.")
    return stored


def _guess(stored: Upload, layout: SheetLayout) -> tuple[Recipe, frozenset[int]]:
    """Return a recipe as it may be meant, and the columns whose field is only a guess."""
    settings = current_context().settings
    fields = layout.guess(settings)
    columns = {
        heading.strip(): field.name if field else IGNORE for heading, field in zip(layout.headings, fields, strict=True)
    }
    guessed = frozenset(
        index for index, field in enumerate(fields)
        if field is not None and find_field(layout.headings[index], settings.heading_map) is not field
    )  # fmt: skip
    has_id = "CustomerId" in columns.values()
    email = next((heading for heading, name in columns.items() if name == "Email"), "")
    mark = guess_decimal_mark(fields, [layout.column(index) for index in range(len(fields))])
    return Recipe("recipe", columns, key=stored.key or ("" if has_id else email), decimal_mark=mark), guessed


def _read_form(form: _Form, *, is_strict: bool = True) -> Recipe:
    """Return the recipe that the form describes. Raises `BulkUpdateError` if it makes no sense, if `is_strict`."""
    stored, layout = form.upload, form.layout
    columns: dict[str, str] = {}
    for heading, chosen in zip(map(str.strip, layout.headings), request.form.getlist("column"), strict=False):
        name = chosen if find_field(chosen, {}) else IGNORE
        if is_strict and columns.get(heading, name) != name:
            raise InputFileError(f"Two columns are called “{heading}”.", remedy="Rename one of them in the sheet.")
        columns[heading] = name
    values: dict[str, dict[str, str]] = {}
    for which, meaning in zip(request.form.getlist("text"), request.form.getlist("meaning"), strict=False):
        field, _, text = which.partition(":")
        if meaning.strip() and field in columns.values():
            values.setdefault(field, {})[text] = "" if meaning == _NO_CHANGE else meaning.strip()
    recipe = Recipe(
        make_recipe_name(stored.name.rpartition(".")[0]),
        columns or dict.fromkeys(map(str.strip, layout.headings), IGNORE),
        user="" if _is_for_everyone() else stored.owner,
        key=request.form.get("key", "")[:200],
        sheet=layout.sheet_name or "" if len(form.layouts) > 1 else "",
        encoding=stored.encoding,
        decimal_mark="," if request.form.get("decimal_mark") == "," else "",
        numbers=stored.numbers or "",
        values=values,
    )
    return parse_recipe(recipe.name, format_recipe(recipe)) if is_strict else recipe


def _is_for_everyone() -> bool:
    return "everyone" in request.form and is_admin(current_context().settings, current_user())


def _use(stored: Upload, recipe: Recipe) -> None:
    """Remember the recipe, keep it beside the upload, and check the sheet by it."""
    context = current_context()

    def change(upload: Upload) -> Upload:
        kept = remember_recipe(context.settings.state_dir, recipe)
        if upload.recipe_path is not None:
            upload.recipe_path.unlink()
        (upload.folder / f"{kept.name}{ENDING}").write_text(format_recipe(kept), encoding="utf-8")
        delete_found(upload.folder)
        key = upload.key if upload.lookup else ""
        return replace(upload, sheet="", decimal_mark="", ignore_unknown=False, key=key, settled={})

    check_again(stored, change)
    user, address = current_user().identity, request.remote_addr or ""
    context.audit.record("said what columns mean", user=user, address=address, about=stored.id)


def _list_columns(layout: SheetLayout, recipe: Recipe, guessed: frozenset[int]) -> Iterator[MappedColumn]:
    for index, heading in enumerate(layout.headings):
        field = find_field(heading, recipe.columns) if heading.strip() else None
        samples = tuple(dict.fromkeys(filter(str.strip, layout.column(index))))[:SHOWN_VALUES]
        yield MappedColumn(index, heading.strip(), samples, field.name if field else IGNORE, index in guessed)
