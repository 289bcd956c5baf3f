"""What a user would write in an hour to check a sheet: pandas, openpyxl, a loop. Run as a process of its own:

python -m benchmarks.by_hand SHEET REPORT

The report is the sheet with two columns more, the problems and the body.
"""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

NUMBERS = ("CompanyId", "AccountManager1Id", "AccountManager2Id", "AccountManager3Id")
DECIMALS = ("AccountManager1Commission", "AccountManager2Commission", "AccountManager3Commission")
RATINGS = ("NotRated", "Very_Disatisfied", "Disatisfied", "Neutral", "Satisfied", "Very_Satisfied")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check_row(row: dict[Any, str]) -> tuple[dict[str, Any], list[str]]:
    """The body to send, and what is wrong."""
    body: dict[str, Any] = {}
    wrong = []
    if not row["CustomerId"].isdigit():
        wrong.append("CustomerId")
    for name, text in row.items():
        if name == "CustomerId" or not text:
            continue
        try:
            body[name] = convert(name, text)
        except (ValueError, InvalidOperation):
            wrong.append(name)
    return body, wrong


def convert(name: str, text: str) -> Any:
    """A cell's value."""
    if name in NUMBERS:
        return int(text)
    if name in DECIMALS:
        return float(Decimal(text))
    if name == "IsWholesale":
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[text.lower()]
    if name == "Rating" and text not in RATINGS:
        raise ValueError(text)
    if name == "Email" and not EMAIL.fullmatch(text):
        raise ValueError(text)
    return text.split(";") if name == "BusinessAliases" else text


def main(sheet: str, report: str) -> None:
    """Read, check, write."""
    table = pd.read_excel(sheet, engine="openpyxl", dtype=str, keep_default_na=False)
    checked = [check_row(row) for row in table.to_dict("records")]
    table["Problems"] = [", ".join(wrong) for _, wrong in checked]
    table["Body"] = [json.dumps(body) for body, _ in checked]
    table.to_excel(report, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
