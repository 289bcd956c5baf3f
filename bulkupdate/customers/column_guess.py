"""Guess which field each column of a sheet means, by heading and first values, for a user to confirm."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.common_headings import find_similar_heading
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, Field, normalize_heading
from bulkupdate.customers.headings import HeaderRow
from bulkupdate.customers.value_types import DECIMAL

_ID_HEADINGS = (
    "id", "kundennummer", "kundennr", "kundenid", "kdnr", "customernumber", "customerno", "customercode", "clientid",
    "accountnumber", "numéroclient", "n°client", "codeclient", "idclient", "clienteid", "códigodecliente",
    "códigocliente", "idcliente", "ncliente", "codicecliente", "klantnummer", "klantnr", "klantcode", "klantid",
)  # fmt: skip
_PARTS_OF_NAMES = frozenset({
    "firstname", "vorname", "prénom", "nombre", "nome", "voornaam", "givenname", "apellidos", "lastname", "nachname",
})  # fmt: skip
_NAME = FIELD_BY_NAME["Name"]


def guess_columns(header: HeaderRow, samples: Sequence[Sequence[str]]) -> list[Field | None]:
    """Return the field of each column, None to ignore it. `samples` are the first values of each column.

    What is recognised comes first; no field is guessed twice, nor against the values. `Name` beside a first name may
    be the last name.
    """
    normalized = [normalize_heading(heading) for heading in header.headings]
    found = list(header.fields)
    if _NAME in found and not _PARTS_OF_NAMES.isdisjoint(normalized):
        found = [None if field is _NAME else field for field in found]
    for index, heading in enumerate(header.headings):
        if found[index] is None and heading.strip() and index not in header.added:
            guess = CUSTOMER_ID if _is_like_an_id(normalized[index]) else find_similar_heading(heading)
            is_open = guess not in found and (guess is not _NAME or _PARTS_OF_NAMES.isdisjoint(normalized))
            if guess is not None and is_open and _could_be(guess, samples[index]):
                found[index] = guess
    return found


def guess_decimal_mark(fields: Sequence[Field | None], samples: Sequence[Sequence[str]]) -> str:
    """Return a comma if the decimals of the first values have one and none has a point; empty if not."""
    texts = [
        text for field, column in zip(fields, samples, strict=True) for text in column
        if field is not None and field.type is DECIMAL
    ]  # fmt: skip
    return "," if any("," in text for text in texts) and not any("." in text for text in texts) else ""


def _is_like_an_id(normalized: str) -> bool:
    return bool(get_close_matches(normalized, _ID_HEADINGS, n=1, cutoff=0.9))


def _could_be(field: Field, texts: Sequence[str]) -> bool:
    filled = [text for text in texts if text.strip()]
    return bool(filled) and not any(parse_cell(field, text, ",").is_refused for text in filled)
