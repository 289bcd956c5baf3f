"""The problems of a checked upload: in pages, by column and kind, with the texts of their cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from bulkupdate.customers.models import Problem, Severity
from bulkupdate.web.paging import PAGE_ROWS, count_skipped
from bulkupdate.web.uploads.check_store import SHOWN_CHARACTERS, StoredCheck, to_typable

MOST_TEXTS = 20
WHOLE_ROW = "(whole row)"
"""The filter's label for problems without a column."""

_CUT = SHOWN_CHARACTERS + 1
_PAGE = f"""SELECT row, substr(customer_id, 1, {_CUT}), p.heading, substr(value, 1, {_CUT}), code, message, remedy,
    severity, text IS NOT NULL, typable, substr(before, 1, {_CUT})
    FROM problems AS p LEFT JOIN corrections AS c USING (row, heading)"""  # noqa: S608  # constants


@dataclass(frozen=True)
class ProblemFilter:
    """Which problems to show; an empty text matches all. `page` counts from 1."""

    column: str = ""
    code: str = ""
    severity: str = ""
    page: int = 1


@dataclass(frozen=True)
class ListedProblem:
    """A problem with its cell.

    `text` is that of the cell, None if a form cannot hold it, or if it is only right once it is typed, as a number that
    its format rounds. `was` is the text before a correction, None if there was none.
    """

    problem: Problem
    is_correctable: bool
    text: str | None
    was: str | None


def page_problems(check: StoredCheck, wanted: ProblemFilter) -> tuple[list[ListedProblem], int]:
    """Return one page of the problems that match, and how many match in all."""
    chosen = [("p.heading", wanted.column), ("code", wanted.code), ("severity", wanted.severity)]
    chosen = [(name, value) for name, value in chosen if value]
    where = " WHERE " + " AND ".join(f"{name} = ?" for name, _ in chosen) if chosen else ""
    values = ["" if value == WHOLE_ROW else value for _, value in chosen]
    with closing(check.open()) as store:
        count = f"SELECT count(*) FROM problems AS p{where}"  # noqa: S608  # the names are constants, the values are bound
        total = store.execute(count, values).fetchone()[0]
        found = store.execute(
            f"{_PAGE}{where} ORDER BY p.rowid LIMIT ? OFFSET ?",
            (*values, PAGE_ROWS, count_skipped(wanted.page)),
        ).fetchall()
    return [
        ListedProblem(Problem.from_columns(problem), bool(is_correctable), typable, was)
        for *problem, is_correctable, typable, was in found
    ], total


def list_choices(check: StoredCheck, name: str) -> list[str]:
    """Return the values of `heading` or `code` that the problems can be filtered by."""
    with closing(check.open()) as store:
        found = store.execute(f"SELECT DISTINCT {name} FROM problems ORDER BY 1")  # noqa: S608  # the name is a constant
        return [value or WHOLE_ROW for (value,) in found]


def list_cells(check: StoredCheck, column: str, code: str) -> Iterator[tuple[int, str]]:
    """Yield row and text of every cell of a column with a problem of this kind."""
    query = "SELECT DISTINCT row, text FROM problems WHERE heading = ? AND code = ? AND text IS NOT NULL ORDER BY row"
    with closing(check.open()) as store:
        yield from store.execute(query, (column, code))


def list_texts(check: StoredCheck, column: str, code: str) -> list[tuple[str, int]]:
    """Return the most frequent texts of these cells that a form can hold, with the number of cells of each."""
    query = """SELECT typable, count(DISTINCT row) FROM problems WHERE heading = ? AND code = ? AND typable IS NOT NULL
        GROUP BY typable ORDER BY 2 DESC, 1 LIMIT ?"""
    with closing(check.open()) as store:
        return store.execute(query, (column, code, MOST_TEXTS)).fetchall()


def read_rows(check: StoredCheck, numbers: Iterable[int]) -> dict[int, list[tuple[str, str | None]]]:
    """Return the cells of these rows: the text, and as `ListedProblem.text`, in the order of the file's columns.

    Rows that are refused as a whole are left out: it is not certain which text is in which column.
    """
    rows = {row.number: [(text, to_typable(text)) for text in row.original] for row in check.find_rows(numbers)}
    places = {check.outcome.headings[place]: place for place in check.outcome.correctable}
    query = f"SELECT row, heading, severity, text, typable FROM problems WHERE row IN ({', '.join('?' * len(rows))})"  # noqa: S608  # only marks
    with closing(check.open()) as store:
        for number, heading, severity, text, typable in store.execute(query, list(rows)):
            if text is not None:
                rows[number][places[heading]] = text, typable  # without the mark of a refused cell
            elif not heading and severity == Severity.ERROR:
                rows[number] = []
    return {number: cells for number, cells in rows.items() if cells}
