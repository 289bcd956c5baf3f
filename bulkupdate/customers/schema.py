"""Check a frame of texts with a pandera schema built from the field table: all problems in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.column_mapping import Columns, assign_columns
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, Field
from bulkupdate.customers.headings import HeaderRow
from bulkupdate.customers.marks import find_marks
from bulkupdate.customers.models import Finding, Problem, Severity
from bulkupdate.customers.plain_values import normalize_ids, select_unplain, translate_values
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.customers.schema_library import SchemaErrors, pa
from bulkupdate.customers.validated_file import CheckedFile, CheckOptions
from bulkupdate.threads import map_in_threads

_READABLE = "readable"
_UNIQUE = "unique"
_WHOLESALE = "wholesale needs business name"
_ABOUT_OTHER_CELLS = (
    ProblemCode.WHOLESALE_NEEDS_BUSINESS_NAME, ProblemCode.DUPLICATE, ProblemCode.NO_MATCH,
    ProblemCode.AMBIGUOUS_MATCH, ProblemCode.DUPLICATE_MATCH,
)  # fmt: skip
"""Errors that the rows themselves bring back: the single cell needs no mark."""

_IS_WHOLESALE = FIELD_BY_NAME["IsWholesale"]
_BUSINESS_NAME = FIELD_BY_NAME["BusinessName"]

Findings = Mapping[str, tuple[Finding, ...]]
"""What is wrong or doubtful with the different texts of a column; texts with nothing of the kind are left out."""

_NO_CUSTOMER_ID = Finding.error(ProblemCode.NO_CUSTOMER_ID)
_NO_BUSINESS_NAME = Finding.error(ProblemCode.WHOLESALE_NEEDS_BUSINESS_NAME)


def check_frame(
    frame: pd.DataFrame,
    header: HeaderRow,
    row_numbers: np.ndarray,
    options: CheckOptions,
    known: Sequence[Problem] = (),
) -> CheckedFile:
    """Check every cell and row of a sheet. `known` are the problems that reading it has already found.

    Raises `InputFileError` if the columns do not make a customer sheet.
    """
    headings = header.headings
    columns = assign_columns(header, ignore_unknown=options.ignore_unknown, never=options.never)
    texts = pd.DataFrame(
        {
            field.name: translate_values(frame.iloc[:, at], options.values.get(field.name, {})).array
            for field, at in columns.positions.items()
        },
        copy=False,
    )
    findings = map_in_threads(
        partial(_parse_unplain, decimal_mark=options.decimal_mark),
        {field: texts[field.name] for field in columns.positions},
    )
    sheet = _CheckedSheet(texts, columns, findings, headings, row_numbers, options)
    refused = {(problem.row, problem.column) for problem in known if problem.severity is Severity.ERROR}
    found = [
        problem
        for problem in (*sheet.find_errors(_validate(texts, findings, options)), *sheet.find_warnings())
        if (problem.row, problem.column) not in refused
    ]
    order = {heading: index for index, heading in enumerate(headings)}
    problems = sorted((*known, *found), key=lambda problem: (problem.row, order.get(problem.column, -1)))
    errors = [
        problem for problem in problems if problem.severity is Severity.ERROR and problem.code not in _ABOUT_OTHER_CELLS
    ]
    marks = find_marks(frame, texts, headings, row_numbers, columns, errors)
    return CheckedFile(tuple(problems), headings, row_numbers, columns, options, frame, texts, marks)


def build_schema(findings: Mapping[Field, Findings], options: CheckOptions) -> pa.DataFrameSchema:
    """Return the schema of the columns a file has; `findings` are those of each column's texts.

    It requires that every cell can be parsed as its field's type and that every customer has one row only.
    """
    checks = {
        field.name: [pa.Check(partial(_is_parsable_mask, field, found), name=_READABLE)]
        for field, found in findings.items()
    }
    checks[CUSTOMER_ID.name].append(pa.Check(_is_unique_mask, name=_UNIQUE))
    rules = [pa.Check(_has_required_name_mask, name=_WHOLESALE)] if options.wholesale_needs_business_name else []
    schemas = {name: pa.Column(checks=column_checks) for name, column_checks in checks.items()}
    return pa.DataFrameSchema(schemas, checks=rules)


def _validate(
    texts: pd.DataFrame, findings: Mapping[Field, Findings], options: CheckOptions
) -> Iterator[tuple[int, str, str]]:
    """Yield index, column and check of every failure.

    They are read from the checks' own output: pandera's failure cases are slower, name every column for a rule about
    rows, and count a crashed check as one more failure.
    """
    try:
        build_schema(findings, options).validate(texts, lazy=True)
    except SchemaErrors as error:
        for failure in error.schema_errors:
            output = failure.check_output
            if not isinstance(output, pd.Series):
                raise
            column = failure.schema.name or _IS_WHOLESALE.name
            yield from ((index, column, failure.check.name) for index in output.index[~output].tolist())


def _parse_unplain(field: Field, texts: pd.Series, decimal_mark: str) -> Findings:
    unplain = select_unplain(field, decimal_mark, texts).unique().tolist()
    return {text: found for text in unplain if (found := parse_cell(field, text, decimal_mark).findings)}


def _is_parsable_mask(field: Field, findings: Findings, texts: pd.Series) -> pd.Series:
    """Return a mask, true if a text is blank or can be parsed as the field's type; a customer id must not be blank."""
    refused = [text for text, found in findings.items() if _select(found, Severity.ERROR)]
    is_parsable = ~texts.isin(refused)
    return is_parsable & (texts.str.strip() != "") if field is CUSTOMER_ID else is_parsable


def _select(findings: Sequence[Finding], severity: Severity) -> list[Finding]:
    return [finding for finding in findings if finding.severity is severity]


def _is_unique_mask(texts: pd.Series) -> pd.Series:
    ids = normalize_ids(texts)
    return ~ids.duplicated(keep=False) | (ids == "")


def _has_required_name_mask(texts: pd.DataFrame) -> pd.Series:
    """Return a mask, true if a row is not marked as wholesale or has a business name.

    See `docs/api.md`, section Fields.
    """
    if _IS_WHOLESALE.name not in texts:
        return pd.Series(True, index=texts.index)
    marked = texts[_IS_WHOLESALE.name].map(lambda text: parse_cell(_IS_WHOLESALE, text).value is True)
    if _BUSINESS_NAME.name not in texts:
        return ~marked
    return ~marked | texts[_BUSINESS_NAME.name].map(lambda text: bool(parse_cell(_BUSINESS_NAME, text).value))


@dataclass(frozen=True)
class _CheckedSheet:
    """Turns what the schema refuses, and what is doubtful, into problems with row and column."""

    texts: pd.DataFrame
    columns: Columns
    findings: Mapping[Field, Findings]
    headings: Sequence[str]
    row_numbers: np.ndarray
    options: CheckOptions

    def find_errors(self, failures: Iterator[tuple[int, str, str]]) -> Iterator[Problem]:
        duplicates = self._explain_duplicates()
        for index, name, check in failures:
            field = FIELD_BY_NAME[name]
            if check == _UNIQUE:
                yield self._problem(index, field, duplicates[index])
            elif check == _WHOLESALE:
                yield self._problem(index, field, _NO_BUSINESS_NAME)
            else:
                yield self._problem(index, field, self._explain_unreadable(index, field))

    def find_warnings(self) -> Iterator[Problem]:
        for field, findings in self.findings.items():
            texts = self.texts[field.name]
            doubtful = {
                text: warnings for text, found in findings.items() if (warnings := _select(found, Severity.WARNING))
            }
            found = texts[texts.isin(list(doubtful))]
            for index, text in zip(found.index.tolist(), found.tolist(), strict=True):
                yield from (self._problem(index, field, finding) for finding in doubtful[text])

    def _explain_unreadable(self, index: int, field: Field) -> Finding:
        findings = self.findings[field].get(str(self.texts.at[index, field.name]), ())
        found = next(iter(_select(findings, Severity.ERROR)), _NO_CUSTOMER_ID)
        if field.name not in self.options.values:
            return found
        return replace(found, remedy=f"{found.remedy} Or add it to the values of {field.name} in the recipe.")

    def _explain_duplicates(self) -> dict[int, Finding]:
        """Return, for each row whose customer has another row too, the finding that names that row."""
        ids = normalize_ids(self.texts[CUSTOMER_ID.name])
        twins = ids[ids.duplicated(keep=False) & (ids != "")]
        twins_by_id: dict[str, list[int]] = defaultdict(list)
        for index, customer_id in zip(twins.index.tolist(), twins.tolist(), strict=True):
            twins_by_id[customer_id].append(index)
        return {
            index: self._explain_duplicate(customer_id, indexes[1] if index == indexes[0] else indexes[0])
            for customer_id, indexes in twins_by_id.items()
            for index in indexes
        }

    def _explain_duplicate(self, customer_id: str, other: int) -> Finding:
        message = f"customer {customer_id} is also in row {self.row_numbers[other]}"
        return Finding.error(ProblemCode.DUPLICATE, message)

    def _problem(self, index: int, field: Field, finding: Finding) -> Problem:
        return finding.at(
            row=int(self.row_numbers[index]),
            customer_id=str(self.texts.at[index, CUSTOMER_ID.name]).strip(),
            column=self.headings[self.columns.positions[field]],
            value=str(self.texts.at[index, field.name]),
        )
