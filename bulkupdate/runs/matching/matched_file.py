"""Write a matched sheet: the user's own, with the ids filled in and a column that says how each was found."""

from __future__ import annotations

from pathlib import Path

from bulkupdate.runs.matching.matched_input import MatchedSheet
from bulkupdate.spreadsheets.reading.sheet import Sheet
from bulkupdate.spreadsheets.writing.matched_sheet import MatchedTable, write_matched_sheet


def default_matched_path(source: Path) -> Path:
    """Return the default path of a matched sheet: beside the file."""
    ending = ".csv" if source.suffix.lower() in (".csv", ".tsv", ".txt") else ".xlsx"
    return source.with_name(f"{source.stem}-matched{ending}")


def write_matched_file(path: Path, source: Path, sheet: Sheet, matched: MatchedSheet) -> list[str]:
    """Write the sheet of `source`, which has the ids filled in; return notes about what the file lacks.

    Raises `UsageError` if it cannot be written.
    """
    header = sheet.header
    columns = [index for index in range(len(header.headings)) if index not in header.added]
    texts = [sheet.frame.iloc[:, index].tolist() for index in columns]
    table = MatchedTable(
        headings=tuple(header.headings[index] for index in columns),
        row_numbers=sheet.row_numbers.tolist(),
        rows=list(zip(*texts, strict=True)),
        id_column=columns.index(header.key_column or 0),
        explanations={match.number: matched.explain(match) for match in matched.matches},
        places=tuple(columns),
    )
    losses = write_matched_sheet(path, table, source, sheet.sheet_name, header.number)
    return [f"{path.name} lacks these parts of your file: {', '.join(losses)}."] if losses else []
