"""The texts with nothing to find in them, told for a whole column at once; only the rest is read cell by cell."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from bulkupdate.customers.fields import Field, Kind

_ODD = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{a0}\x{ad}\x{200b}\x{2028}\x{2029}\x{2060}\x{feff}\x{fffd}"
_PLAIN_ADDRESS = r"[A-Za-z0-9_+%\-]+(\.[A-Za-z0-9_+%\-]+)*@([A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,20}"
_SEEN = r"[^\s\pZ\x0b\x1c-\x1f\x{85}\x{200b}\x{2060}\x{feff}]"
_PLAIN_TEXT = rf"[^\s\pZ#<{_ODD}]([^<{_ODD}]*[^\s\pZ<\]{_ODD}])?"
_PLAIN_PATTERNS = {
    Kind.CUSTOMER_ID: "[1-9][0-9]{0,17}",
    Kind.TEXT: _PLAIN_TEXT,
    Kind.PHONE: r"[0-9+(]([0-9 ()/\-]*[0-9])?",
    Kind.EMAIL: _PLAIN_ADDRESS,
    Kind.EMAILS: _PLAIN_ADDRESS,
    Kind.INTEGER: "(0|[1-9][0-9]{0,17})",
    Kind.DECIMAL: r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?",
    Kind.BOOLEAN: "(?i:true|false|yes|no)",
    Kind.RATING: "[0-5]",
    Kind.ALIASES: rf"[^\s\pZ#<;|{_ODD}]([^<;|{_ODD}]*[^\s\pZ<;|\]{_ODD}])?",
}


def plain_pattern(kind: Kind, decimal_mark: str) -> str:
    """The texts of a kind with nothing to find in them, in the syntax of Arrow's RE2.

    A whole column is sorted by it at once, and only the rest is looked at cell by cell. It admits less than
    `read_value`, never more, and `read_value` gives such a text back as it stands (a test holds both).
    """
    pattern = _PLAIN_PATTERNS[kind]
    return pattern.replace("\\.", re.escape(decimal_mark)) if kind is Kind.DECIMAL else pattern


def needs_parsing(each: Field, decimal_mark: str, texts: pd.Series) -> pd.Series:
    """The texts of a column that are neither blank nor plain."""
    return texts[~find_plain(each, decimal_mark, texts)]


def find_plain(each: Field, decimal_mark: str, texts: pd.Series) -> np.ndarray:
    """True where a text is blank or plain."""
    pattern = rf"\A(?:|{plain_pattern(each.kind, decimal_mark)})\z"
    return _match(texts, pattern)


def find_filled(texts: pd.Series) -> np.ndarray:
    """True where a text holds more than blanks and characters without width."""
    return _match(texts, _SEEN)


def _match(texts: pd.Series, pattern: str) -> np.ndarray:
    found = pc.match_substring_regex(texts.array.__arrow_array__(), pattern)
    is_found: np.ndarray = found.to_numpy(zero_copy_only=False)
    return is_found
