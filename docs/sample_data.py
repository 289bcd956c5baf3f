"""Make the sample sheets: `python docs/sample_data.py [FOLDER]`. The same text every time; a test compares.

`customers.xlsx` and `customers.csv` hold the same 200 good rows about the sandbox's first customers, with every field
in use; `problems.xlsx` has one row for each problem that the checks know.
"""

from __future__ import annotations

import csv
import random
import sys
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font

from bulkupdate.customers.fields import FIELDS
from bulkupdate.customers.value_types import RATINGS

FIRST_ID = 100_001
ROWS = 200

_FIRST = """Anna Björn Chloé Dmitri Élodie Fatima Giovanni Hiroshi Ingrid João Katarzyna Liam Mei Nadia Oscar
Priya""".split()  # noqa: SIM905 - a list of names is read more easily without quotation marks
_LAST = """Müller O'Neill Åkesson Dupont García Ivanova Jansen Kowalski Nguyễn Rossi Smith Tanaka 王
Öztürk""".split()  # noqa: SIM905
_FIRMS = [
    "Blue Harbor Trading", "Müller & Söhne", "Pâtisserie d'Or", "Northwind Garden", "三和商店", "Casa Verde", "Acme",
]  # fmt: skip
_COMMENTS = [
    "Call before noon", "NA", "Pays by invoice;\nreminder after 14 days", "=prefers e-mail", "10% off, agreed 2026",
]  # fmt: skip


def make_values(row: int, rng: random.Random) -> dict[str, str]:
    """A row's value for each field, some of them blank; the first rows have every field at least once."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    mail = f"customer{row}@example.com"
    values = {
        "Title": rng.choice(["Mr.", "Ms.", "Dr.", "Prof."]),
        "Name": f"{first} {last}",
        "Email": mail,
        "EmailCC": f"office{row}@example.org; {mail}",
        "BusinessName": rng.choice(_FIRMS),
        "BusinessAliases": f"{rng.choice(_FIRMS)}; Shop {row}",
        "SourceId": f"{row:06}",
        "IsWholesale": rng.choice(["Yes", "No", "TRUE", "0"]),
        "CompanyId": str(rng.choice([201, 202, 0])),
        "AccountManager1Id": str(rng.randint(5010, 5030)),
        "AccountManager1Commission": rng.choice(["2.50", "0.1", "0.00"]),
        "AccountManager2Id": str(rng.randint(5010, 5030)),
        "AccountManager2Commission": rng.choice(["1.25", "3"]),
        "AccountManager3Id": str(rng.randint(5010, 5030)),
        "AccountManager3Commission": "0.5",
        "Salesman": rng.choice(["J. Ortega", "M. Lindqvist", "None"]),
        "Comments": rng.choice(_COMMENTS),
        "Rating": rng.choice([*RATINGS, "Very dissatisfied", "4"]),
        "Phone1": f"00493012{row:05}",
        "Phone2": f"555{rng.randint(1_000_000, 9_999_999)}",
        "Phone3": f"+1 555 {row:03} {rng.randint(1000, 9999)}",
        "Mobile": f"0171 {rng.randint(100_000, 999_999)}",
        "Fax": rng.choice([f"007 555 {row:04}", "<clear>"]),
    }
    return {name: text if row < 3 or rng.random() < 0.55 else "" for name, text in values.items()}


def make_rows() -> list[list[str]]:
    """The good sheet: a heading and 200 rows; two of them say nothing, as happens."""
    rng = random.Random(20260101)  # noqa: S311 - sample data
    names = [field.name for field in FIELDS]
    rows = [names]
    for row in range(ROWS):
        values = make_values(row, rng) if row not in (57, 123) else {}
        rows.append([str(FIRST_ID + row), *(values.get(name, "") for name in names[1:])])
    return rows


PROBLEMS = [
    {"CustomerId": "100001", "Email": "no-at-sign.example.com"},
    {"CustomerId": "100002", "Email": "two@example.com, three@example.com"},
    {"CustomerId": "100003", "EmailCC": "fine@example.com; broken@"},
    {"CustomerId": "100004", "IsWholesale": "perhaps"},
    {"CustomerId": "100005", "CompanyId": "1,000"},
    {"CustomerId": "100006", "CompanyId": "12.5"},
    {"CustomerId": "100007", "AccountManager1Id": "-5"},
    {"CustomerId": "100008", "AccountManager1Commission": "2,5"},
    {"CustomerId": "100009", "AccountManager2Commission": "5%"},
    {"CustomerId": "100010", "AccountManager3Commission": "much"},
    {"CustomerId": "100011", "Rating": "Excellent"},
    {"CustomerId": "100012", "Rating": "<clear>"},
    {"CustomerId": "100013", "Phone1": "4.93012E+11"},
    {"CustomerId": "100014", "Comments": "#N/A"},
    {"CustomerId": "100015", "BusinessAliases": ";"},
    {"CustomerId": "1.00016E+05", "Name": "Id lost by the spreadsheet"},
    {"CustomerId": "ABC", "Name": "No id"},
    {"CustomerId": "", "Name": "Nobody"},
    {"CustomerId": "100017", "Name": "Twice"},
    {"CustomerId": "100017.0", "Name": "Twice again"},
    {"CustomerId": "100018", "Name": "This row is good"},
    {"CustomerId": "100019", "Comments": "So is this one"},
]


def save_book(path: Path, rows: list[list[str]]) -> None:
    """A workbook as people make them: ids typed as numbers, everything else as text."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Customers"
    for row, values in enumerate(rows, 1):
        for column, text in enumerate(values, 1):
            if text:
                cell = sheet.cell(row, column, int(text) if column == 1 and text.isdecimal() else text)
                cell.data_type = "n" if isinstance(cell.value, int) else "s"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = 18
    sheet.freeze_panes = "B2"
    book.properties.created = book.properties.modified = datetime(2026, 1, 1)
    book.save(path)


def make_samples(folder: Path) -> None:
    """Write all samples into a folder."""
    rows = make_rows()
    save_book(folder / "customers.xlsx", rows)
    with (folder / "customers.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        # a sheet saved by a careful program: what a spreadsheet would take for a formula has an apostrophe before it
        writer.writerows([f"'{text}" if text[:1] in ("=", "+", "-", "@") else text for text in row] for row in rows)
    names = [field.name for field in FIELDS]
    save_book(folder / "problems.xlsx", [names, *([row.get(name, "") for name in names] for row in PROBLEMS)])


if __name__ == "__main__":
    make_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "bulkupdate" / "sample_data")
