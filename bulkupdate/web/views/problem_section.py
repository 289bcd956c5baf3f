"""The problems of a checked sheet as its page shows them: filtered, in pages, with what can be done about all alike."""

from __future__ import annotations

from flask import request

from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.web.paging import Paging, read_page_number
from bulkupdate.web.uploads.check_outcome import CheckOutcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.problem_list import ProblemFilter, list_choices, list_texts, page_problems
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.correction_views import offer_repairs


def describe_problems(stored: Upload, outcome: CheckOutcome) -> dict[str, object]:
    """Return what the template of the problems needs: those that the address asks for."""
    chosen = ProblemFilter(
        column=request.args.get("column", ""),
        code=request.args.get("code", ""),
        severity=request.args.get("severity", ""),
        page=read_page_number(),
    )
    if not outcome.problems:
        return {"chosen": chosen}
    check = StoredCheck(stored.path, stored.name, outcome)
    problems, total = page_problems(check, chosen)
    group = (chosen.column, chosen.code) if chosen.column and chosen.code else None
    return {
        "chosen": chosen,
        "problems": problems,
        "at": Paging(chosen.page, total),
        "columns": list_choices(check, "heading"),
        "codes": list_choices(check, "code"),
        "labels": {code.value: code.label for code in ProblemCode},
        "places": {outcome.headings[place]: place for place in outcome.correctable},
        "offers": offer_repairs(check, *group) if group else [],
        "texts": list_texts(check, *group) if group else [],
    }
