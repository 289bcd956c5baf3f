"""The first texts of an upload as likely encodings would read them, where its encoding is not certain."""

from __future__ import annotations

from bulkupdate.spreadsheets.reading.text_encoding import LIKELY_ENCODINGS, sample_texts
from bulkupdate.web.uploads.check_outcome import CheckOutcome
from bulkupdate.web.uploads.upload_store import Upload


def sample_encodings(stored: Upload, outcome: CheckOutcome) -> list[tuple[str, tuple[str, ...]]]:
    """Return likely encodings with the first texts as each would read them; empty if the encoding is certain."""
    is_doubtful = "encoding" in outcome.message or any(group.code == "guessed-encoding" for group in outcome.groups)
    is_chosen = outcome.is_refused and bool(stored.encoding)
    if not (is_doubtful or is_chosen) or stored.path.suffix not in (".csv", ".tsv"):
        return []
    return [(codec, texts) for codec in LIKELY_ENCODINGS if (texts := sample_texts(stored.path, codec))]
