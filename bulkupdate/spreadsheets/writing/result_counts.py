"""No result is written that does not say what happened to every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bulkupdate.customers.models import ResultLine, Status
from bulkupdate.errors import BulkUpdateError


def compare_with_counts(lines: Iterable[ResultLine], counts: Mapping[Status, int]) -> Iterator[ResultLine]:
    """Yield the lines; raise `BulkUpdateError` at their end, before the file is put in place, if the counts differ."""
    found: Counter[Status] = Counter()
    for line in lines:
        found[line.status] += 1
        yield line
    if found != counts:
        raise BulkUpdateError(
            f"The results do not add up: {_describe_counts(counts)} were counted,"
            f" {_describe_counts(found)} were found.",
            remedy="No results file was written. This is a bug in bulkupdate; please report it.",
        )


def _describe_counts(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count) or "no rows"
