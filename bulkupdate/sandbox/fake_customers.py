"""Generate customers: the same seed and id give the same customer, so a million of them need no memory.

All are fictitious: addresses end in example.com, .org or .net, and phone numbers are from ranges reserved for fiction
if a country has them. A new field of the table holds its example until it has its own maker here.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.value_types import RATINGS


@dataclass(frozen=True, slots=True)
class Country:
    """First names, last names, companies and phone numbers of a country. In a phone number, # stands for a digit."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    firms: tuple[str, ...]
    phones: tuple[str, ...]
    is_family_first: bool = False


COUNTRIES = (
    Country(
        ("Emma", "Liam", "Olivia", "Noah", "Shanice", "Mary-Jane", "DeShawn", "J. R.", "Zoë", "Mateo"),
        ("Smith", "Johnson", "O'Brien", "Garcia", "McAllister", "St. John", "Nguyen", "D’Angelo", "Park-Lewis", "Null"),
        ("{last} & Sons", "{last} Supply Co.", "The {last} Company, LLC", '"{last}" Trading Inc.'),
        ("212555 01##", "+1 555 0100 1##", "(305) 555-01##", "55500012##", "1-800-555-01##"),
    ),
    Country(
        ("Oliver", "Amelia", "Siân", "Niamh", "Callum", "Priya", "Mohammed", "Saoirse"),
        ("Jones", "O’Sullivan", "Llewellyn-Smith", "Patel", "Khan", "FitzGerald", "Macdonald", "Ng"),
        ("{last} Ltd", "{last} & Daughters", "Messrs {last}"),
        ("020 7946 0###", "+44 20 7946 0###", "0044 161 496 0###", "07700 900###"),
    ),
    Country(
        ("Jürgen", "Anna", "Günther", "Käthe", "Björn", "Hans-Peter", "Sofie", "Ömer"),
        ("Müller", "Groß", "Schäfer", "von der Heide", "Yılmaz", "Strauß", "Lüdenscheid-Böhm", "Öztürk"),
        ("{last} GmbH", "{last} & Söhne KG", "Gebrüder {last} OHG"),
        ("030 23125 ###", "0049 30 23125###", "+49 (0)30 23125-###", "0171 39200##"),
    ),
    Country(
        ("Chloé", "François", "Éloïse", "Jean-Luc", "Noël", "Maëlys", "Íñigo", "João"),
        ("Lefèvre", "D'Arc", "Núñez", "García Márquez", "Conceição", "L'Hôpital", "Peña", "Bœuf"),
        ("{last} et Fils", "Société {last} S.A.", "Hermanos {last}, S.L."),
        ("01 99 00 ## ##", "+33 1 99 00 ## ##", "0033 6 39 98 ## ##", "+34 912 000 ###"),
    ),
    Country(
        ("Łukasz", "Zofia", "Jiří", "Åsa", "Søren", "Ștefan", "Ágnes", "Þóra"),
        ("Wójcik", "Dvořák", "Åkesson", "Ångström", "Kovács", "Đorđević", "Ionescu", "Nowak-Święcicka"),
        ("{last} sp. z o.o.", "{last} AB", "{last} és Társa Kft."),
        ("+46 8 465 004 ##", "0046 31 390 06 ##", "08-465 004 ##", "022 000 ## ##"),
    ),
    Country(
        ("伟", "秀英", "小龙", "太郎", "花子", "美咲"), ("王", "李", "欧阳", "山田", "渡邉", "髙橋"),
        ("{last}商店", "株式会社{last}", "{last}贸易有限公司"), ("03-5550-0###", "+81 3 5550 0###", "0081355500###"),
        is_family_first=True,
    ),
    Country(
        ("Αθηνά", "Дмитрий", "Оксана", "محمد", "נועה", "민준"),
        ("Παπαδόπουλος", "Чайковский", "Шевченко", "حداد", "כהן", "김"),
        ("{last} & Co", "{last} Trading"), ("+30 210 555 0###", "+7 495 555 0###", "00972 2 555 0###"),
    ),
)  # fmt: skip

WEIGHTS = (40, 15, 15, 12, 8, 6, 4)

TITLES = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof. Dr.", "Mx.", "Herr", "Mme")
SALESMEN = ("J. Ortega", "Mia Østergård", "K. O'Neill", "Team West", "Łucja Nowak")
COMPANIES = (201, 202, 205, 310)
COMMISSIONS = ("2.50", "0.5", "1.25", "10.00", "0.075", "3")
COMMENTS = (
    "Call before noon",
    "Pays late; see invoice 00417",
    "Ring twice.\nLeave parcels at the back door.",
    'Says: "no plastic, please"',
    "=Preferred= customer since 2009",
    "Großhandel, 5 % Rabatt – nur auf Anfrage",
    "Bitte nur per E-Mail 📧",
    "-",
)


class Person:
    """A customer being generated: the random choices that several fields depend on."""

    def __init__(self, seed: int, customer_id: int) -> None:
        self.rng = random.Random(f"{seed}:{customer_id}")
        self.customer_id = customer_id
        country = self.rng.choices(COUNTRIES, WEIGHTS)[0]
        self.phones = country.phones
        self.first, self.last = self.rng.choice(country.first_names), self.rng.choice(country.last_names)
        names = (self.last, self.first) if country.is_family_first else (self.first, self.last)
        self.name = " ".join(names)
        self.firm = self.rng.choice(country.firms).format(last=self.last)
        self.is_wholesale = self.rng.random() < 0.3
        self.has_firm = self.is_wholesale or self.rng.random() < 0.4
        self.managers = self.rng.choices((0, 1, 2, 3), (40, 40, 15, 5))[0]

    def is_lucky(self, share: float) -> bool:
        """Return True with that probability."""
        return self.rng.random() < share

    def make_address(self) -> str:
        """Return an e-mail address that no other customer gets."""
        ending = self.rng.choice(("com", "com", "org", "net"))
        names = ".".join(filter(None, map(_fold_to_ascii, (self.first, self.last)))) or "customer"
        return f"{names}.{self.customer_id}@example.{ending}"

    def make_phone(self) -> str:
        """Return a phone number as someone typed it."""
        return re.sub("#", lambda _: str(self.rng.randrange(10)), self.rng.choice(self.phones))


WITHOUT_STROKE = str.maketrans(
    {"ı": "i", "ß": "ss", "ø": "o", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "Þ": "Th", "œ": "oe"}
)
"""Letters that Unicode does not decompose into a plain letter and an accent."""


def _fold_to_ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.translate(WITHOUT_STROKE)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", folded.casefold())


Maker = Callable[[Person], object]


def _often(share: float, maker: Maker) -> Maker:
    """Return the maker's value with that probability, else None: an empty field."""
    return lambda person: maker(person) if person.is_lucky(share) else None


def _choose(*values: object) -> Maker:
    return lambda person: person.rng.choice(values)


def _make_copies(person: Person) -> str:
    return "; ".join(
        (f"office.{person.customer_id}@example.com", "buchhaltung@example.org")[: person.rng.randint(1, 2)]
    )


def _make_aliases(person: Person) -> list[str]:
    return [person.last, person.firm.upper()][: person.rng.randint(0, 2)] if person.has_firm else []


def _manage(place: int, maker: Maker) -> Maker:
    return lambda person: maker(person) if person.managers >= place else None


def _choose_commission(person: Person) -> Decimal:
    return Decimal(person.rng.choice(COMMISSIONS))


MAKERS: Mapping[str, Maker] = {
    "Title": _often(0.5, _choose(*TITLES)),
    "Name": lambda person: person.name,
    "EmailCC": _often(0.15, _make_copies),
    "BusinessName": lambda person: person.firm if person.has_firm else None,
    "BusinessAliases": _make_aliases,
    "SourceId": _often(0.6, lambda person: f"SHOP-{person.rng.randrange(100_000):05}"),
    "IsWholesale": lambda person: person.is_wholesale,
    "CompanyId": _choose(*COMPANIES),
    **{f"AccountManager{n}Id": _manage(n, lambda person: person.rng.randint(5001, 5040)) for n in (1, 2, 3)},
    **{f"AccountManager{n}Commission": _manage(n, _choose_commission) for n in (1, 2, 3)},
    "Salesman": _often(0.5, _choose(*SALESMEN)),
    "Comments": _often(0.4, _choose(*COMMENTS)),
    "Phone1": _often(0.9, Person.make_phone),
    "Mobile": _often(0.5, Person.make_phone),
    **dict.fromkeys(("Phone2", "Phone3", "Fax"), _often(0.25, Person.make_phone)),
    "Email": Person.make_address,
    "Rating": lambda person: person.rng.randrange(len(RATINGS)),
}
"""Makers by field; a field without one holds its example."""


def make_customer(seed: int, customer_id: int) -> dict[str, object]:
    """Return a customer, field name → value: text, whole number, `Decimal`, boolean, list of text, code of a rating.

    None is an empty field.
    """
    person = Person(seed, customer_id)
    return {
        field.name: MAKERS[field.name](person) if field.name in MAKERS else field.type.from_json(field.example)
        for field in UPDATABLE
    }
