"""What users say to each other about a sheet that needs an approval: the request, the refusal, the approval."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bulkupdate.web.json_files import read_record, write_json

RECORD = "review.json"
MAX_COMMENT = 1_000


@dataclass(frozen=True)
class Review:
    """The last request of an uploader, `asked_at` (ISO 8601, UTC; empty: none), and what another user said to it.

    `decided_by` is empty until then; `is_refused`: that user refused the sheet, else approved it.
    """

    asked_at: str = ""
    comment: str = ""
    decided_by: str = ""
    decided_at: str = ""
    is_refused: bool = False
    answer: str = ""

    def decide(self, by: str, at: str, answer: str, *, is_refused: bool) -> Review:
        """Return the review with the decision of a user."""
        return replace(self, decided_by=by, decided_at=at, answer=answer, is_refused=is_refused)


def read_review(folder: Path) -> Review:
    """Return what was said about the sheet of a folder."""
    return read_record(folder / RECORD, Review) or Review()


def save_review(folder: Path, review: Review) -> None:
    """Keep what was said."""
    write_json(folder / RECORD, asdict(review))
