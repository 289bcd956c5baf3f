"""The table of fields: one entry for each field of a customer.

Schema, payload, template, help, sandbox and the README's table are derived from it: a new field is one entry here.
Names and groups are those of the vendor's own articles and Swagger (`docs/api.md`, section Fields).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bulkupdate.customers.field_types import ALIASES, EMAIL, EMAILS, PHONE, TEXT, FieldType
from bulkupdate.customers.value_types import BOOLEAN, CUSTOMER_NUMBER, DECIMAL, INTEGER, RATING


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field: its heading, and where the service keeps it. Compared and hashed by identity.

    `group` and `get_name` are its place in the nested answer of `GET Customers/{id}`; `list_names` those in an item of
    `GET Customers` (several are joined by a blank; empty: the list answer does not have it).
    """

    name: str
    type: FieldType
    help: str
    example: str
    group: str
    get_name: str
    list_names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def __deepcopy__(self, _memo: object) -> Field:
        """Return the field itself: pandera copies its checks, and what they hold, deeply."""
        return self

    @property
    def is_clearable(self) -> bool:
        """Whether `<clear>` may empty it: a text field or the list of aliases."""
        return self.type.cleared is not None


CLEAR = "<clear>"
"""What a user types to empty a field; a blank cell is no change."""


def _phone(name: str, label: str, *aliases: str, example: str) -> Field:
    return Field(
        name, PHONE, f"{label}, kept as typed: zeros, plus sign and blanks.", example, "Personal", name,
        aliases=aliases,
    )  # fmt: skip


def _account_manager(place: int, *, id_example: str, commission_example: str) -> tuple[Field, Field]:
    """Return an account manager's two fields; the GET leaves out the number of the first."""
    figure = "" if place == 1 else str(place)
    ordinal = ("First", "Second", "Third")[place - 1]
    return (
        Field(
            f"AccountManager{place}Id", INTEGER, f"{ordinal} account manager: employee id.", id_example,
            "Internal", f"AccountManager{figure}Id",
            aliases=(f"Account Manager {place}", *(("Account Manager", "Account Manager Id") if place == 1 else ())),
        ),
        Field(
            f"AccountManager{place}Commission", DECIMAL,
            f"{ordinal} account manager's commission, with a decimal point; sent as typed.", commission_example,
            "Internal", f"AccountManager{figure}Commission",
            aliases=(f"Commission {place}", *(("Commission", "Account Manager Commission") if place == 1 else ())),
        ),
    )  # fmt: skip


CUSTOMER_ID = Field(
    "CustomerId", CUSTOMER_NUMBER, "The customer to update: its Sellercloud id. At most one row for each.", "163",
    "General", "ID", ("UserID",),
)  # fmt: skip

UPDATABLE = (
    Field("Title", TEXT, "Form of address.", "Dr.", "General", "Title", aliases=("Salutation",)),
    Field(
        "Name", TEXT, "First and last name.", "Anna Müller", "General", "Name", ("FirstName", "LastName"),
        ("Customer Name", "Full Name"),
    ),
    Field(
        "Email", EMAIL, "The customer's e-mail address.", "anna@example.com", "General", "Email", ("Email",),
        ("E-mail", "Mail", "Email Address", "E-mail Address"),
    ),
    Field(
        "EmailCC", EMAILS, "Addresses that get a copy; several are separated by ; or a comma.",
        "office@example.com; boss@example.com", "General", "EmailCC", ("EmailCC",), ("E-mail CC", "CC"),
    ),
    Field(
        "BusinessName", TEXT, "Company name.", "Müller & Sons", "General", "CorporateName", ("CorporateName",),
        ("Company Name", "Corporate Name", "Firm"),
    ),
    Field(
        "BusinessAliases", ALIASES, "Other names of the company, separated by ; or |. Replaces the whole list.",
        "Mueller & Sons; M&S", "General", "BusinessAliases", aliases=("Business Alias", "Aliases"),
    ),
    Field(
        "SourceId", TEXT, "The customer's id in the system it came from.", "SHOP-00042", "General", "SourceId",
        aliases=("Source",),
    ),
    Field(
        "IsWholesale", BOOLEAN, "Whether the customer buys wholesale: yes or no.", "Yes", "General",
        "IsWholeSaleUser", ("IsWholeSaleUser",), ("Wholesale", "Wholesale?", "Is Wholesale User"),
    ),
    Field(
        "CompanyId", INTEGER, "Id of your company that the customer belongs to.", "201", "Internal",
        "CompanyID",
    ),
    *_account_manager(1, id_example="5012", commission_example="2.50"),
    *_account_manager(2, id_example="5013", commission_example="1.25"),
    *_account_manager(3, id_example="5014", commission_example="0.5"),
    Field("Salesman", TEXT, "Name of the salesman.", "J. Ortega", "Internal", "SalesMan",
          aliases=("Sales Man", "Sales Rep", "Salesperson")),
    Field(
        "Comments", TEXT, "Notes about the customer; may have several lines.", "Call before noon", "Internal",
        "Comment", aliases=("Comment", "Remarks", "Notes"),
    ),
    Field(
        "Rating", RATING, "How satisfied the customer is: a name of the list, or its code 0 to 5.", "Satisfied",
        "Internal", "LocalRating", ("Rating",), ("Customer Rating", "Local Rating"),
    ),
    _phone("Phone1", "First phone number", "Phone", "Phone 1", "Telephone", example="0049 30 1234567"),
    _phone("Phone2", "Second phone number", "Phone 2", example="5550001234"),
    _phone("Phone3", "Third phone number", "Phone 3", example="+1 555 000 1234"),
    _phone("Mobile", "Mobile phone number", "Mobile Phone", "Cell", "Cell Phone", example="0171 5550100"),
    _phone("Fax", "Fax number", "Fax Number", example="007 555 0100"),
)  # fmt: skip

FIELDS = (CUSTOMER_ID, *UPDATABLE)

FIELD_BY_NAME = {field.name: field for field in FIELDS}


@lru_cache(maxsize=256)
def normalize_heading(heading: str) -> str:
    """Return a heading as it is compared: without case, blanks, underscores, hyphens, dots and question marks."""
    return re.sub(r"[\s_\-.?\u200b\ufeff]+", "", heading).casefold()


def _index_headings() -> dict[str, Field]:
    folded: dict[str, Field] = {}
    for field in FIELDS:
        for heading in (field.name, *field.aliases):
            known = folded.setdefault(normalize_heading(heading), field)
            if known is not field:
                raise ValueError(f"the heading {heading!r} means both {known.name} and {field.name}")
    return folded


FIELD_BY_NORMALIZED_HEADING = _index_headings()
