"""Why the service rejected the rows of a to-fix sheet: said again when the sheet is checked."""

from __future__ import annotations

from collections.abc import Iterator

from bulkupdate.customers.models import TO_FIX_COLUMNS, Finding, Problem, Status
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.spreadsheets.reading.sheet import Sheet

_PREFIX = f"{Status.REJECTED}: "


def find_rejections(sheet: Sheet) -> Iterator[Problem]:
    """Yield a warning for each row of which a to-fix sheet says that the service rejected it."""
    _, reason, remedy = ([at for at in sheet.header.added if sheet.headings[at] == name] for name in TO_FIX_COLUMNS)
    key = sheet.header.key_column
    if not reason or key is None:
        return
    texts = (sheet.frame.iloc[:, at].tolist() for at in (key, reason[0], (remedy or reason)[0]))
    for row, customer_id, why, how in zip(sheet.row_numbers.tolist(), *texts, strict=True):
        if why.startswith(_PREFIX):
            message = f"rejected when it was sent: {why.removeprefix(_PREFIX)}"
            finding = Finding.warning(ProblemCode.REJECTED_BEFORE, message, how if remedy else "")
            yield finding.at(row, customer_id, sheet.headings[key], customer_id)
