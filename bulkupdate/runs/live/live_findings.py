"""The result of comparing a file with the live customers."""

from __future__ import annotations

from dataclasses import dataclass

from bulkupdate.customers.models import Change, Problem
from bulkupdate.customers.problem_codes import ProblemCode


@dataclass(frozen=True)
class LiveFindings:
    """The comparison of a file's rows with the live customers.

    `changes` is None if only the ids were looked up; `problems` are those of rows whose customer does not exist or has
    another key; `same` is the number of rows without a change; `calls` is the number of requests used.
    """

    changes: tuple[Change, ...] | None
    problems: tuple[Problem, ...]
    same: int
    calls: int

    @property
    def unknown(self) -> tuple[str, ...]:
        """The ids that the service does not know."""
        return tuple(problem.customer_id for problem in self.problems if problem.code == ProblemCode.UNKNOWN_CUSTOMER)

    @property
    def conflicts(self) -> tuple[Problem, ...]:
        """The problems of rows whose customer has another key."""
        return tuple(problem for problem in self.problems if problem.code == ProblemCode.KEY_CONFLICT)
